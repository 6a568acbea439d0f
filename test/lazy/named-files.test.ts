import { readFileSync } from 'node:fs';
import { namedFiles } from '../../src/transfer/lazy/named-files.ts';

const named = (text: string) => namedFiles(Buffer.from(text));

describe('what a content names', () => {
  it('are the libraries and the loader of a program', () => {
    const { linked, libraries, programs } = namedFiles(readFileSync('/bin/ls').subarray(0, 256 * 1024));
    expect(linked).toBe(true);
    expect(libraries).toContain('libc.so.6');
    expect(programs.join()).toMatch(/\/ld-/);
  });

  it('are the modules that a source imports at once, not those of a function', () => {
    const { modules, linked } = named(
      'import os, sys as system\nfrom json.decoder import JSONDecoder\nfrom . import aliases\n\ndef late():\n    import pdb\n',
    );
    expect(linked).toBe(false);
    expect(modules).toEqual(expect.arrayContaining(['os', 'sys', 'json/decoder', 'aliases']));
    expect(modules).not.toContain('pdb');
  });

  it('is the interpreter of a script', () => {
    expect(named('#!/bin/sh -e\nexit 0\n').programs).toEqual(['/bin/sh']);
    expect(named('#!/usr/bin/env python3\nprint()\n').programs).toEqual(['/usr/bin/python3']);
  });

  it('is nothing where it is neither text nor linked, or short', () => {
    expect(namedFiles(Buffer.from('import a\0import b and more of it'))).toMatchObject({ modules: [] });
    expect(named('import a')).toMatchObject({ modules: [], libraries: [] });
  });

  it('is bounded, however much is named', () => {
    const lines = Array.from({ length: 5000 }, (_, i) => `import m${i}`).join('\n');
    expect(named(lines).modules.length).toBeLessThanOrEqual(64);
  });
});
