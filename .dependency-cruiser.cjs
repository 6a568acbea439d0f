// The rooms of ARCHITECTURE.md and the one direction in which they may import each other.
const rooms = {
  base: [],
  observe: ['base'],
  config: ['observe', 'base'],
  image: ['config', 'observe', 'base'],
  store: ['image', 'config', 'observe', 'base'],
  swarm: ['store', 'image', 'config', 'observe', 'base'],
  transfer: ['swarm', 'store', 'image', 'config', 'observe', 'base'],
  doors: ['transfer', 'image', 'config', 'observe', 'base'],
  station: ['doors', 'transfer', 'swarm', 'store', 'image', 'config', 'observe', 'base'],
  cli: ['config', 'observe', 'base', 'image'],
  bin: ['cli', 'station', 'config', 'observe', 'base'],
};
const names = Object.keys(rooms);
const only = (pattern, where, why) => ({
  name: `only-${where.replace(/\W+/g, '-')}`,
  comment: why,
  severity: 'error',
  from: { path: '^src/', pathNot: `^src/(${where})/` },
  to: { path: `node_modules/(${pattern})(/|$)` },
});
module.exports = {
  forbidden: [
    { name: 'no-circular', severity: 'error', from: {}, to: { circular: true } },
    { name: 'no-unresolvable', severity: 'error', from: {}, to: { couldNotResolve: true } },
    ...names.map((room) => ({
      name: `${room}-imports-downwards`,
      comment: `src/${room} may import only: ${[room, ...rooms[room]].join(', ')}`,
      severity: 'error',
      from: { path: `^src/${room}/` },
      to: { path: `^src/(${names.filter((n) => n !== room && !rooms[room].includes(n)).join('|')})/` },
    })),
    {
      name: 'doors-are-no-siblings',
      severity: 'error',
      from: { path: '^src/doors/([^/]+)/' },
      to: { path: '^src/doors/', pathNot: '^src/doors/$1/' },
    },
    {
      name: 'image-codecs-are-pure',
      comment: 'bytes in, values out: no files, no sockets',
      severity: 'error',
      from: { path: '^src/image/' },
      to: { path: '^(node:)?(fs|net|http|child_process)(/|$)' },
    },
    only('express', 'doors', 'HTTP lives in the doors'),
    only('lmdb', 'store', 'the database is opened in one place'),
    only('(@libp2p|@chainsafe|libp2p|helia|@helia)', 'swarm', 'the p2p stack lives in the swarm'),
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsPreCompilationDeps: true,
    parser: 'swc',
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'node', 'default', 'types'],
      extensions: ['.ts', '.js', '.mjs'],
    },
  },
};
