export { startDemoServer, type DemoServer } from './demo-server.js';
