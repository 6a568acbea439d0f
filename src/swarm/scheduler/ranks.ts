import { WANT_CLASSES } from '../lanes/messages.ts';

/** A class's place in {@link WANT_CLASSES}: the lower goes first. */
export const DEMAND = WANT_CLASSES.indexOf('demand');
export const PROFILE = WANT_CLASSES.indexOf('profile');
export const BACKGROUND = WANT_CLASSES.indexOf('background');
