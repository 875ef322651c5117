// SPDX-License-Identifier: Apache-2.0

package main

import "embed"

// sources are what the multi-call binary is built from. They are embedded so
// that the driver works from any folder and builds exactly what it was compiled
// with.
//
//go:embed go.mod go.sum controlplane/*.go
var sources embed.FS
