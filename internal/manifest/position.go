// SPDX-License-Identifier: Apache-2.0

package manifest

import (
	"cmp"
	"slices"
	"strconv"
)

// Names that take the place of a file's.
const (
	// FileStdin is where what came by the standard input is.
	FileStdin = "stdin"
	// FileCluster is where what FromCluster has read is.
	FileCluster = "cluster"
)

// Position is a place in a file.
type Position struct {
	// File is the path as it was given, joined with the way to the file;
	// FileStdin or FileCluster.
	File string
	// Line and Column count from 1, columns in characters. Both are 0 for the
	// file as a whole.
	Line, Column int
}

// String is file:line:column, or the file alone where Line is 0.
func (p Position) String() string {
	if p.Line == 0 {
		return p.File
	}
	return p.File + ":" + strconv.Itoa(p.Line) + ":" + strconv.Itoa(p.Column)
}

// Problem is something in a file that cannot be read, or that the API server
// would refuse.
type Problem struct {
	Position
	// Path of the field, such as spec.conditions[0].expression; empty when the
	// document or the file is meant.
	Path string
	// Message says what is wrong and what to do. It begins with a small letter
	// and has no full stop; it may quote the file.
	Message string
}

// String is position, path and message, each followed by a colon.
func (p Problem) String() string {
	text := p.Position.String() + ": "
	if p.Path != "" {
		text += p.Path + ": "
	}
	return text + p.Message
}

// sortProblems orders problems by the order in which files were read, then by
// line, column and path.
func sortProblems(problems []Problem, files map[string]int) {
	slices.SortStableFunc(problems, func(a, b Problem) int {
		return cmp.Or(
			cmp.Compare(files[a.File], files[b.File]), cmp.Compare(a.File, b.File),
			cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column),
			cmp.Compare(a.Path, b.Path), cmp.Compare(a.Message, b.Message))
	})
}
