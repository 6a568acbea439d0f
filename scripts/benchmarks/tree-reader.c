/*
 * Looks at files the way programs do, and times it: tree-reader MODE LIST [COUNT], in the folder that the paths of LIST
 * (each ended by a NUL) start from. Prints operations, bytes, seconds, and the longest operation's seconds.
 *
 *   lstat        lstat(2) of each path, in an order that follows no directory
 *   open         open(2), 4 KiB, close(2) of each path, likewise
 *   sequential   each file from its beginning to its end, 1 MiB a read(2)
 *   random       COUNT reads of 4 KiB at random places of the files, which were opened before
 *   latency      open(2) and 4 KiB of one path after the other for COUNT milliseconds
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static char **paths;
static size_t count;
static size_t operations;
static long long bytes;
static double longest;

static double now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return time.tv_sec + time.tv_nsec / 1e9;
}

static void fail(const char *what) {
  fprintf(stderr, "tree-reader: %s: %s\n", what, strerror(errno));
  exit(1);
}

/* The same numbers each run: both sides of a pair do the same. */
static unsigned long long seed = 88172645463325252ULL;
static size_t below(size_t limit) {
  seed ^= seed << 13;
  seed ^= seed >> 7;
  seed ^= seed << 17;
  return seed % limit;
}

static void load(const char *list) {
  FILE *file = fopen(list, "r");
  if (!file) fail(list);
  char *path = NULL;
  size_t room = 0, taken = 0;
  while (getdelim(&path, &room, 0, file) > 0) {
    if (count == taken && !(paths = realloc(paths, (taken = taken * 2 + 64) * sizeof *paths))) fail("memory");
    paths[count++] = path;
    path = NULL;
  }
  fclose(file);
  if (count == 0) fail("no paths");
}

static void shuffle(void) {
  for (size_t at = count - 1; at > 0; at--) {
    size_t other = below(at + 1);
    char *path = paths[at];
    paths[at] = paths[other];
    paths[other] = path;
  }
}

static void done(double from, ssize_t read, const char *path) {
  if (read < 0) fail(path);
  double took = now() - from;
  if (took > longest) longest = took;
  bytes += read;
  operations++;
}

static void read_head(const char *path, char *buffer) {
  double from = now();
  int file = open(path, O_RDONLY);
  if (file < 0) fail(path);
  ssize_t got = pread(file, buffer, 4096, 0);
  close(file);
  done(from, got, path);
}

int main(int argc, char **argv) {
  if (argc < 3) return 2;
  const char *mode = argv[1];
  long amount = argc > 3 ? atol(argv[3]) : 0;
  char *buffer;
  if (posix_memalign((void **)&buffer, 4096, 1 << 20)) fail("memory");
  load(argv[2]);
  if (!strcmp(mode, "lstat") || !strcmp(mode, "open") || !strcmp(mode, "latency")) shuffle();
  double start = now();
  if (!strcmp(mode, "lstat")) {
    struct stat seen;
    for (size_t at = 0; at < count; at++) {
      double from = now();
      done(from, lstat(paths[at], &seen), paths[at]);
    }
  } else if (!strcmp(mode, "open")) {
    for (size_t at = 0; at < count; at++) read_head(paths[at], buffer);
  } else if (!strcmp(mode, "latency")) {
    for (size_t at = 0; now() - start < amount / 1e3; at++) read_head(paths[at % count], buffer);
  } else if (!strcmp(mode, "sequential")) {
    for (size_t at = 0; at < count; at++) {
      int file = open(paths[at], O_RDONLY);
      if (file < 0) fail(paths[at]);
      ssize_t got;
      do {
        double from = now();
        done(from, got = read(file, buffer, 1 << 20), paths[at]);
      } while (got > 0);
      close(file);
    }
  } else if (!strcmp(mode, "random")) {
    int *files = malloc(count * sizeof *files);
    size_t *pages = malloc(count * sizeof *pages);
    if (!files || !pages) fail("memory");
    for (size_t at = 0; at < count; at++) {
      struct stat seen;
      files[at] = open(paths[at], O_RDONLY);
      if (files[at] < 0 || fstat(files[at], &seen) < 0) fail(paths[at]);
      pages[at] = seen.st_size / 4096 + 1;
    }
    start = now();
    for (long read = 0; read < amount; read++) {
      size_t at = below(count);
      double from = now();
      done(from, pread(files[at], buffer, 4096, (off_t)below(pages[at]) * 4096), paths[at]);
    }
  } else return 2;
  printf("%zu %lld %.9f %.9f\n", operations, bytes, now() - start, longest);
  return 0;
}
