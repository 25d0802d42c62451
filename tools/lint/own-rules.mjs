import { basename } from 'node:path';

const KEBAB_NAME = /^[a-z0-9]+(-[a-z0-9]+)*(\.[a-z]+)*\.(ts|mjs)$/;
const EMPTY_WORDS = /(^|[/.-])(utils?|helpers?|common|shared|types|constants|misc)([/.-]|$)/;

/** Files are named by the thing or the act, in kebab-case; a word that fits every file names none. */
const fileNames = {
  meta: { type: 'problem', schema: [] },
  create: (context) => ({
    Program(node) {
      const path = context.filename.replace(`${context.cwd}/`, '');
      if (!KEBAB_NAME.test(basename(path))) context.report({ node, message: 'File names are kebab-case.' });
      if (EMPTY_WORDS.test(path)) context.report({ node, message: 'Name the file by the thing or the act it holds.' });
    },
  }),
};

/** Every exported declaration has a doc comment; lines that follow one another share the first one's. */
const docComments = {
  meta: { type: 'problem', schema: [] },
  create(context) {
    const source = context.sourceCode;
    const documented = (node) => source.getCommentsBefore(node).some((comment) => comment.type === 'Block' && comment.value.startsWith('*'));
    const continues = (node) => {
      const before = source.getTokenBefore(node);
      return before !== null && before.loc.end.line === node.loc.start.line - 1 && source.getCommentsBefore(node).length === 0;
    };
    return {
      'Program > ExportNamedDeclaration[declaration!=null]'(node) {
        if (!documented(node) && !continues(node)) context.report({ node, message: 'An export has a doc comment.' });
      },
    };
  },
};

/** The rules no package has. */
export const ownRules = { rules: { 'file-names': fileNames, 'doc-comments': docComments } };
