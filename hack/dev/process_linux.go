// SPDX-License-Identifier: Apache-2.0

package main

import "syscall"

// childAttributes give the child a process group of its own, and make the
// kernel ask it to stop when its parent dies, so that even SIGKILL of the
// parent leaves nothing behind.
func childAttributes() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGTERM}
}
