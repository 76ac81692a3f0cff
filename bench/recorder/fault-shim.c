/*
 * Makes a good file system fail: an LD_PRELOAD library that stands between a program and the C library's calls that
 * write files, for files whose path begins with FAULT_PREFIX. What goes wrong is read from the file FAULT_CONTROL at each
 * call, so it can be changed while the program runs:
 *
 *   none          all is well
 *   ENOSPC        every other write is short, the next fails with it, as on a disk that fills; new files cannot be made
 *   EIO           writes and flushes fail with it
 *   EROFS         writes, flushes, truncations, new files and folders fail with it
 *   short         writes take a part of what they are given, at least one byte
 *   stall MS N    every Nth write or flush takes MS milliseconds longer
 *
 * Paths are found by /proc/self/fd, so that files opened before count too. Reading is never disturbed.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

enum mode { NONE, FULL, FAILING, READ_ONLY, SHORT, STALL };

struct fault {
  enum mode mode;
  long ms;
  long every;
};

static atomic_ulong calls;

static struct fault current_fault(void) {
  struct fault fault = {NONE, 0, 1};
  const char *control = getenv("FAULT_CONTROL");
  if (!control) return fault;
  /* The plain system calls: the ones of this library would come back here. */
  int fd = (int)syscall(SYS_openat, AT_FDCWD, control, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return fault;
  char text[64] = "";
  long length = syscall(SYS_read, fd, text, sizeof text - 1);
  syscall(SYS_close, fd);
  if (length <= 0) return fault;
  if (!strncmp(text, "ENOSPC", 6)) fault.mode = FULL;
  else if (!strncmp(text, "EIO", 3)) fault.mode = FAILING;
  else if (!strncmp(text, "EROFS", 5)) fault.mode = READ_ONLY;
  else if (!strncmp(text, "short", 5)) fault.mode = SHORT;
  else if (sscanf(text, "stall %ld %ld", &fault.ms, &fault.every) == 2 && fault.every > 0) fault.mode = STALL;
  return fault;
}

static int is_below(const char *path) {
  const char *prefix = getenv("FAULT_PREFIX");
  return prefix && !strncmp(path, prefix, strlen(prefix));
}

static int is_card(int fd) {
  char link[32], path[4096];
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  long length = syscall(SYS_readlinkat, AT_FDCWD, link, path, sizeof path - 1);
  if (length <= 0) return 0;
  path[length] = 0;
  return is_below(path);
}

static void stall(struct fault fault) {
  if (fault.mode != STALL || atomic_fetch_add(&calls, 1) % (unsigned long)fault.every != 0) return;
  struct timespec rest = {fault.ms / 1000, (fault.ms % 1000) * 1000000};
  while (nanosleep(&rest, &rest) && errno == EINTR) continue;
}

/* What a call that is no write fails with; 0: it does not. */
static int refusal(struct fault fault, int makes_room) {
  if (fault.mode == FAILING) return EIO;
  if (fault.mode == READ_ONLY) return EROFS;
  if (fault.mode == FULL && makes_room) return ENOSPC;
  return 0;
}

#define REAL(name) ((typeof(&name))dlsym(RTLD_NEXT, #name))
#define REFUSE(fault, makes_room)                                                                                    \
  do {                                                                                                               \
    int error = refusal(fault, makes_room);                                                                          \
    if (error) {                                                                                                     \
      errno = error;                                                                                                 \
      return -1;                                                                                                     \
    }                                                                                                                \
  } while (0)

/* How many bytes of so many are written; -1: none, errno says why. */
static ssize_t allowed(struct fault fault, size_t bytes) {
  if (fault.mode == FAILING || fault.mode == READ_ONLY) {
    errno = fault.mode == FAILING ? EIO : EROFS;
    return -1;
  }
  if (fault.mode == FULL) {
    if (bytes < 2 || atomic_fetch_add(&calls, 1) % 2) {
      errno = ENOSPC;
      return -1;
    }
    return (ssize_t)(bytes / 2);
  }
  if (fault.mode == SHORT && bytes > 1) return (ssize_t)(1 + (atomic_fetch_add(&calls, 7919) * 104729) % (bytes - 1));
  return (ssize_t)bytes;
}

static ssize_t write_some(int fd, const void *bytes, size_t length, off_t offset, int is_positioned) {
  return is_positioned ? syscall(SYS_pwrite64, fd, bytes, length, offset) : syscall(SYS_write, fd, bytes, length);
}

static ssize_t faulty_write(int fd, const void *bytes, size_t length, off_t offset, int is_positioned) {
  if (!is_card(fd)) return write_some(fd, bytes, length, offset, is_positioned);
  struct fault fault = current_fault();
  stall(fault);
  ssize_t some = allowed(fault, length);
  return some < 0 ? some : write_some(fd, bytes, (size_t)some, offset, is_positioned);
}

static ssize_t faulty_writev(int fd, const struct iovec *pieces, int count, off_t offset, int is_positioned) {
  struct fault fault = {NONE, 0, 1};
  if (is_card(fd)) fault = current_fault();
  stall(fault);
  if (fault.mode == NONE || fault.mode == STALL)
    return is_positioned ? syscall(SYS_pwritev, fd, pieces, count, offset, 0) : syscall(SYS_writev, fd, pieces, count);
  size_t total = 0;
  for (int i = 0; i < count; i++) total += pieces[i].iov_len;
  ssize_t some = allowed(fault, total);
  if (some < 0) return some;
  ssize_t done = 0;
  for (int i = 0; i < count && done < some; i++) {
    size_t length = pieces[i].iov_len;
    if (length > (size_t)(some - done)) length = (size_t)(some - done);
    ssize_t written = write_some(fd, pieces[i].iov_base, length, offset + done, is_positioned);
    if (written < 0) return done > 0 ? done : written;
    done += written;
  }
  return done;
}

ssize_t write(int fd, const void *bytes, size_t length) { return faulty_write(fd, bytes, length, 0, 0); }
ssize_t pwrite(int fd, const void *bytes, size_t length, off_t offset) {
  return faulty_write(fd, bytes, length, offset, 1);
}
ssize_t pwrite64(int fd, const void *bytes, size_t length, off_t offset) {
  return faulty_write(fd, bytes, length, offset, 1);
}
ssize_t writev(int fd, const struct iovec *pieces, int count) { return faulty_writev(fd, pieces, count, 0, 0); }
ssize_t pwritev(int fd, const struct iovec *pieces, int count, off_t offset) {
  return faulty_writev(fd, pieces, count, offset, 1);
}
ssize_t pwritev64(int fd, const struct iovec *pieces, int count, off_t offset) {
  return faulty_writev(fd, pieces, count, offset, 1);
}

static int faulty_flush(int fd, long call) {
  if (is_card(fd)) {
    struct fault fault = current_fault();
    stall(fault);
    REFUSE(fault, 0);
  }
  return (int)syscall(call, fd);
}
int fsync(int fd) { return faulty_flush(fd, SYS_fsync); }
int fdatasync(int fd) { return faulty_flush(fd, SYS_fdatasync); }

static int faulty_truncate(int fd, off_t length) {
  if (is_card(fd)) REFUSE(current_fault(), 0);
  return (int)syscall(SYS_ftruncate, fd, length);
}
int ftruncate(int fd, off_t length) { return faulty_truncate(fd, length); }
int ftruncate64(int fd, off_t length) { return faulty_truncate(fd, length); }

static int faulty_open(int folder, const char *path, int flags, mode_t mode) {
  if ((flags & (O_WRONLY | O_RDWR | O_CREAT)) && is_below(path)) REFUSE(current_fault(), flags & O_CREAT);
  return (int)syscall(SYS_openat, folder, path, flags, mode);
}
#define OPENED_MODE(flags)                                                                                           \
  mode_t mode = 0;                                                                                                   \
  if ((flags) & (O_CREAT | __O_TMPFILE)) {                                                                           \
    va_list more;                                                                                                    \
    va_start(more, flags);                                                                                           \
    mode = va_arg(more, mode_t);                                                                                     \
    va_end(more);                                                                                                    \
  }
int open(const char *path, int flags, ...) {
  OPENED_MODE(flags)
  return faulty_open(AT_FDCWD, path, flags, mode);
}
int open64(const char *path, int flags, ...) {
  OPENED_MODE(flags)
  return faulty_open(AT_FDCWD, path, flags, mode);
}
int openat(int folder, const char *path, int flags, ...) {
  OPENED_MODE(flags)
  return faulty_open(folder, path, flags, mode);
}
int openat64(int folder, const char *path, int flags, ...) {
  OPENED_MODE(flags)
  return faulty_open(folder, path, flags, mode);
}
int mkdir(const char *path, mode_t mode) {
  if (is_below(path)) REFUSE(current_fault(), 1);
  return REAL(mkdir)(path, mode);
}
int unlink(const char *path) {
  if (is_below(path)) REFUSE(current_fault(), 0);
  return REAL(unlink)(path);
}
