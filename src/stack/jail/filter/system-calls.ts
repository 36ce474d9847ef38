/** Processors that there is a filter for, as Node names them. */
export type Processor = "x64" | "arm64";

/** `AUDIT_ARCH_X86_64`, `AUDIT_ARCH_AARCH64`: what the kernel calls them. @see linux/audit.h */
export const processorIds: Readonly<Record<Processor, number>> = { x64: 0xc000_003e, arm64: 0xc000_00b7 };

/** Where numbers of the x32 ABI begin: the same calls under other names. */
export const x32Bit = 0x4000_0000;

type Numbers = readonly [x64: number | undefined, arm64: number | undefined];

/** Calls that are looked at more closely. Numbers on each processor: `asm/unistd_64.h`, `asm-generic/unistd.h`; a test compares them. */
export const checkedCalls = {
  clone: [56, 220],
  clone3: [435, 435],
  unshare: [272, 97],
  ioctl: [16, 29],
  personality: [135, 92],
  socket: [41, 198],
  socketpair: [53, 199],
} as const satisfies Record<string, Numbers>;

/** Calls that neither a build nor a domain has a use for, and that attacks on a kernel begin with. */
export const refusedCalls: Readonly<Record<string, Numbers>> = {
  // Another view of the file system, or another's name space.
  mount: [165, 40],
  umount2: [166, 39],
  pivot_root: [155, 41],
  chroot: [161, 51],
  move_mount: [429, 429],
  open_tree: [428, 428],
  open_tree_attr: [467, 467],
  fsopen: [430, 430],
  fsconfig: [431, 431],
  fsmount: [432, 432],
  fspick: [433, 433],
  mount_setattr: [442, 442],
  setns: [308, 268],
  open_by_handle_at: [304, 265],
  // Other processes: their memory, their descriptors, what they have in common.
  ptrace: [101, 117],
  process_vm_readv: [310, 270],
  process_vm_writev: [311, 271],
  pidfd_getfd: [438, 438],
  kcmp: [312, 272],
  move_pages: [279, 239],
  migrate_pages: [256, 238],
  // Large interfaces of the kernel with a history.
  bpf: [321, 280],
  perf_event_open: [298, 241],
  userfaultfd: [323, 282],
  io_uring_setup: [425, 425],
  io_uring_enter: [426, 426],
  io_uring_register: [427, 427],
  fanotify_init: [300, 262],
  keyctl: [250, 219],
  add_key: [248, 217],
  request_key: [249, 218],
  // Memory that belongs to no process, so that no process's limit counts it.
  shmget: [29, 194],
  msgget: [68, 186],
  semget: [64, 190],
  memfd_create: [319, 279],
  // The machine itself. Rights would be needed too: there are none in a jail, and a mistake in asking for them does not matter then.
  kexec_load: [246, 104],
  kexec_file_load: [320, 294],
  init_module: [175, 105],
  finit_module: [313, 273],
  delete_module: [176, 106],
  quotactl: [179, 60],
  quotactl_fd: [443, 443],
  acct: [163, 89],
  swapon: [167, 224],
  swapoff: [168, 225],
  reboot: [169, 142],
  // What the kernel said, with its addresses.
  syslog: [103, 116],
  // Of the x86 family alone: ports, segments, and what no program has called for decades.
  iopl: [172, undefined],
  ioperm: [173, undefined],
  modify_ldt: [154, undefined],
  uselib: [134, undefined],
  ustat: [136, undefined],
  sysfs: [139, undefined],
  _sysctl: [156, undefined],
};

/** A call's number on a processor, if it has one there. */
export const numberOf = ([x64, arm64]: Numbers, processor: Processor): number | undefined =>
  processor === "x64" ? x64 : arm64;
