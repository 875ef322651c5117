// SPDX-License-Identifier: Apache-2.0

package process

import "syscall"

// childAttributes makes the kernel kill the child when its parent dies, so that
// even SIGKILL of the parent leaves nothing behind.
func childAttributes() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}
