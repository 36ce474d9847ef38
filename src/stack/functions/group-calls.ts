import type { Processor } from "../jail/filter/system-calls.ts";

type Numbers = readonly [x64: number | undefined, arm64: number | undefined];

/**
 * The system calls that workerd and the C library below it make while functions run, as `strace` shows them, and their near relatives of other
 * versions. Numbers on each processor; a test compares them with the kernel's headers.
 */
export const groupCalls: Readonly<Record<string, Numbers>> = {
  // What it was given, and its own memory.
  read: [0, 63],
  write: [1, 64],
  close: [3, 57],
  lseek: [8, 62],
  pread64: [17, 67],
  readv: [19, 65],
  writev: [20, 66],
  dup: [32, 23],
  dup3: [292, 24],
  fcntl: [72, 25],
  fstat: [5, 80],
  stat: [4, undefined],
  lstat: [6, undefined],
  newfstatat: [262, 79],
  statx: [332, 291],
  access: [21, undefined],
  faccessat: [269, 48],
  faccessat2: [439, 439],
  open: [2, undefined],
  openat: [257, 56],
  readlink: [89, undefined],
  readlinkat: [267, 78],
  getdents64: [217, 61],
  getcwd: [79, 17],
  close_range: [436, 436],
  mprotect: [10, 226],
  munmap: [11, 215],
  mremap: [25, 216],
  madvise: [28, 233],
  mincore: [27, 232],
  brk: [12, 214],
  pkey_mprotect: [329, 288],
  pkey_alloc: [330, 289],
  pkey_free: [331, 290],
  // Its threads.
  futex: [202, 98],
  set_robust_list: [273, 99],
  get_robust_list: [274, 100],
  set_tid_address: [218, 96],
  rseq: [334, 293],
  membarrier: [324, 283],
  sched_yield: [24, 124],
  sched_getaffinity: [204, 123],
  sched_getparam: [143, 121],
  sched_getscheduler: [145, 120],
  getcpu: [309, 168],
  gettid: [186, 178],
  arch_prctl: [158, undefined],
  // Signals among them; it sees no other process.
  rt_sigaction: [13, 134],
  rt_sigprocmask: [14, 135],
  rt_sigreturn: [15, 139],
  rt_sigtimedwait: [128, 137],
  sigaltstack: [131, 132],
  tgkill: [234, 131],
  signalfd4: [289, 74],
  restart_syscall: [219, 128],
  // Waiting, and time.
  epoll_create1: [291, 20],
  epoll_ctl: [233, 21],
  epoll_wait: [232, undefined],
  epoll_pwait: [281, 22],
  epoll_pwait2: [441, 441],
  poll: [7, undefined],
  ppoll: [271, 73],
  eventfd2: [290, 19],
  timerfd_create: [283, 85],
  timerfd_settime: [286, 86],
  timerfd_gettime: [287, 87],
  pipe2: [293, 59],
  nanosleep: [35, 101],
  clock_nanosleep: [230, 115],
  clock_gettime: [228, 113],
  clock_getres: [229, 114],
  gettimeofday: [96, 169],
  time: [201, undefined],
  // Its listener, and the way to egress.
  connect: [42, 203],
  accept: [43, 202],
  accept4: [288, 242],
  sendto: [44, 206],
  recvfrom: [45, 207],
  sendmsg: [46, 211],
  recvmsg: [47, 212],
  getsockname: [51, 204],
  getpeername: [52, 205],
  setsockopt: [54, 208],
  getsockopt: [55, 209],
  // Who and where it is.
  getpid: [39, 172],
  getppid: [110, 173],
  getuid: [102, 174],
  geteuid: [107, 175],
  getgid: [104, 176],
  getegid: [108, 177],
  uname: [63, 160],
  sysinfo: [99, 179],
  getrandom: [318, 278],
  getrlimit: [97, 163],
  prlimit64: [302, 261],
  getrusage: [98, 165],
  times: [100, 153],
  // Its beginning, of which there is nothing else to run, and its end.
  execve: [59, 221],
  exit: [60, 93],
  exit_group: [231, 94],
};

/** Those that Node makes besides: its rights, which it reads to know whether to trust its environment, and to listen, which workerd leaves to whoever opened the socket. */
export const nodeCalls: Readonly<Record<string, Numbers>> = {
  capget: [125, 90],
  listen: [50, 201],
  umask: [95, 166],
  getpriority: [140, 141],
};

/** Those that pass by their arguments. */
export const checkedGroupCalls = {
  clone: [56, 220],
  ioctl: [16, 29],
  mmap: [9, 222],
  prctl: [157, 167],
  socket: [41, 198],
  shutdown: [48, 210],
  socketpair: [53, 199],
} as const satisfies Record<string, Numbers>;

/** A call's number on a processor, if it has one there. */
export const numberOn = ([x64, arm64]: Numbers, processor: Processor): number | undefined =>
  processor === "x64" ? x64 : arm64;
