import type { Readable } from 'node:stream';
import type { EndpointsOf, EndpointTypes } from '../../observe/control/endpoints.ts';
import type { ControlService, ExportedTar, OperationCall } from './control-service.ts';

type JsonHandler<Name extends EndpointsOf<'json'>> = (
  service: ControlService,
  request: EndpointTypes[Name]['request'],
  signal: AbortSignal,
) => Promise<EndpointTypes[Name]['result']>;

type EventsHandler<Name extends EndpointsOf<'events'>> = (
  service: ControlService,
  request: EndpointTypes[Name]['request'],
  call: OperationCall,
  body: Readable,
) => Promise<EndpointTypes[Name]['result']>;

type TarHandler<Name extends EndpointsOf<'tar'>> = (
  service: ControlService,
  request: EndpointTypes[Name]['request'],
  signal: AbortSignal,
) => Promise<ExportedTar>;

/** What each endpoint that answers one JSON document does. */
export const JSON_ROUTES: { readonly [Name in EndpointsOf<'json'>]: JsonHandler<Name> } = {
  status: (service) => service.status(),
  stop: (service, request, signal) => service.stop(request, signal),
  addrs: (service) => service.addrs(),
  peers: (service) => service.peers(),
  connect: (service, { addr }, signal) => service.connect(addr, signal),
  network: (service) => service.network(),
  trustList: (service) => service.trustList(),
  trustAdd: (service, { peer }) => service.trustAdd(peer),
  trustRemove: (service, { peer }) => service.trustRemove(peer),
  images: (service) => service.images(),
  inspect: (service, { image }) => service.inspect(image),
  remove: (service, { image }) => service.remove(image),
  gc: (service, request, signal) => service.gc(request, signal),
  debugDag: (service, { cid }, signal) => service.debugDag(cid, signal),
  debugLayer: (service, { cid }, signal) => service.debugLayer(cid, signal),
  debugFuse: (service) => service.debugFuse(),
  mounts: (service) => service.mounts(),
  unmount: (service, request, signal) => service.unmount(request, signal),
  profile: (service, request) => service.profile(request),
  profileExport: (service, request) => service.profileExport(request),
  profileForget: (service, request) => service.profileForget(request),
};

/** What each endpoint that reports while it works does. */
export const EVENT_ROUTES: { readonly [Name in EndpointsOf<'events'>]: EventsHandler<Name> } = {
  push: (service, request, call, body) => service.push(body, request, call),
  pull: (service, request, call) => service.pull(request, call),
  verify: (service, { image }, call) => service.verify(image, call),
  prepare: (service, request, call) => service.prepare(request, call),
  mount: (service, request, call) => service.mount(request, call),
  profileImport: (service, request, call, body) => service.profileImport(body, request, call),
};

export const TAR_ROUTES: { readonly [Name in EndpointsOf<'tar'>]: TarHandler<Name> } = {
  export: (service, request, signal) => service.export(request, signal),
};
