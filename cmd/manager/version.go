// SPDX-License-Identifier: Apache-2.0

package main

import "runtime/debug"

// version of the operator, as Go has recorded it in the program.
func version() string {
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" {
		return info.Main.Version
	}
	return "(devel)"
}
