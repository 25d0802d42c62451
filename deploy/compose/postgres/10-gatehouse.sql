-- A role and a schema per service, and nothing that one could see of another. Runs once, when the
-- database is made, by psql as the superuser; passwords come from the files of the secrets volume.
\set ON_ERROR_STOP on
\if :{?secrets}
\else
  \set secrets /run/gatehouse-secrets
\endif
\set auth_password `cat :'secrets'/auth.password`
\set vault_password `cat :'secrets'/vault.password`
\set policy_password `cat :'secrets'/policy.password`
\set audit_password `cat :'secrets'/audit.password`

-- Nobody gets in, or makes anything, by being anybody.
REVOKE ALL ON DATABASE gatehouse FROM PUBLIC;
REVOKE ALL ON SCHEMA public FROM PUBLIC;

CREATE ROLE auth LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOINHERIT CONNECTION LIMIT 40 PASSWORD :'auth_password';
CREATE ROLE vault LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOINHERIT CONNECTION LIMIT 40 PASSWORD :'vault_password';
CREATE ROLE policy LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOINHERIT CONNECTION LIMIT 40 PASSWORD :'policy_password';
CREATE ROLE audit LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOINHERIT CONNECTION LIMIT 40 PASSWORD :'audit_password';

CREATE SCHEMA auth AUTHORIZATION auth;
CREATE SCHEMA vault AUTHORIZATION vault;
CREATE SCHEMA policy AUTHORIZATION policy;
CREATE SCHEMA audit AUTHORIZATION audit;

GRANT CONNECT ON DATABASE gatehouse TO auth, vault, policy, audit;
