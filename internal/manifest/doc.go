// SPDX-License-Identifier: Apache-2.0

// Package manifest reads policy from files, folders, kustomizations and
// clusters, knows the line and column of every field, and finds offline what
// the API server would refuse.
//
// Values are read as kubectl and the API server read them, by the same YAML
// library (YAML 1.1: yes and on are booleans) and the same validation, out of
// the CRDs that this program was built with. Positions come from a second look
// at the same text.
//
// Paths, positions and messages hold text of the files as it is. It goes to a
// terminal only through terminal.Safe.
package manifest

const (
	// maxFileSize in bytes is how large a file may be. The API server takes
	// 3 MiB a request; a file of many documents has room here.
	maxFileSize = 16 << 20
	// maxObjectSize in bytes is the API server's own limit for a request.
	maxObjectSize = 3 << 20
	// maxDocuments is how many documents are read in all.
	maxDocuments = 20_000
	// maxAliasGrowth is by how many nodes aliases may make a document larger
	// than it is written.
	maxAliasGrowth = 100_000
	// maxProblems is how many problems of one document are told.
	maxProblems = 50
)
