// SPDX-License-Identifier: Apache-2.0

// Package trail reads the audit trail: the lines that the operator has written, from
// files, rotated ones, compressed ones, folders and streams, and whether anything in
// them was changed, removed or cut off. Nothing in here talks to a cluster.
package trail
