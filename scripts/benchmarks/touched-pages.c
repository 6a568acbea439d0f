/*
 * Which pages of the files below a folder are in the page cache: after a start from cold caches, without read-ahead,
 * these are the pages that the start used.
 *
 *   touched-pages FOLDER OUT      writes the pages' bytes to OUT, file after file, and prints their count and the files'
 *
 * A file with several names counts once. Looking changes nothing: only pages that are there are read (mincore(2)), and
 * their files are mapped with MADV_RANDOM.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <ftw.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum { MAX_LINKED = 1 << 16, MAX_OPEN_FOLDERS = 64 };

static FILE *out;
static size_t page_size;
static uint64_t pages, files;
static ino_t linked[MAX_LINKED];
static size_t linked_count;

static void fail(const char *what) {
  perror(what);
  exit(1);
}

/* The folder is one filesystem (FTW_MOUNT): an inode number is enough. */
static int seen_before(const struct stat *status) {
  if (status->st_nlink < 2) return 0;
  for (size_t at = 0; at < linked_count; at++) {
    if (linked[at] == status->st_ino) return 1;
  }
  if (linked_count == MAX_LINKED) {
    fputs("too many files with several names\n", stderr);
    exit(1);
  }
  linked[linked_count++] = status->st_ino;
  return 0;
}

static int look(const char *path, const struct stat *status, int type, struct FTW *walk) {
  (void)walk;
  if (type != FTW_F || !S_ISREG(status->st_mode) || status->st_size == 0 || seen_before(status)) return 0;
  size_t size = (size_t)status->st_size;
  int file = open(path, O_RDONLY | O_NOATIME | O_CLOEXEC);
  if (file < 0) fail(path);
  unsigned char *content = mmap(NULL, size, PROT_READ, MAP_SHARED, file, 0);
  if (content == MAP_FAILED) fail(path);
  if (madvise(content, size, MADV_RANDOM) < 0) fail(path);
  size_t count = (size + page_size - 1) / page_size;
  unsigned char *resident = malloc(count);
  if (resident == NULL) fail("malloc");
  if (mincore(content, size, resident) < 0) fail(path);
  uint64_t before = pages;
  for (size_t at = 0; at < count; at++) {
    if ((resident[at] & 1) == 0) continue;
    size_t length = at == count - 1 ? size - at * page_size : page_size;
    if (fwrite(content + at * page_size, 1, length, out) != length) fail("write");
    pages++;
  }
  if (pages != before) files++;
  free(resident);
  munmap(content, size);
  close(file);
  return 0;
}

int main(int count, char **arguments) {
  if (count != 3) {
    fputs("usage: touched-pages FOLDER OUT\n", stderr);
    return 2;
  }
  page_size = (size_t)sysconf(_SC_PAGESIZE);
  out = fopen(arguments[2], "w");
  if (out == NULL) fail(arguments[2]);
  if (nftw(arguments[1], look, MAX_OPEN_FOLDERS, FTW_PHYS | FTW_MOUNT) != 0) fail(arguments[1]);
  if (fclose(out) != 0) fail(arguments[2]);
  printf("%llu %llu\n", (unsigned long long)pages, (unsigned long long)files);
  return 0;
}
