// SPDX-License-Identifier: Apache-2.0

package trail

import (
	"encoding/json"
	"errors"
	"fmt"
	"iter"

	"github.com/ow-kai/ascend-operator/internal/audit"
)

// Line is one line of a trail.
type Line struct {
	// File is where it stands: the path, or "standard input".
	File string
	// Number counts the lines of the file from 1.
	Number int
	// Raw is the line without its newline, good until the next line is asked for.
	Raw []byte
	// Ended: a newline ends it. Only the last line of a file may lack one.
	Ended bool
}

// String is FILE:NUMBER.
func (l Line) String() string { return fmt.Sprintf("%s:%d", l.File, l.Number) }

// errNoRecord is for lines that are JSON, but no record.
var errNoRecord = errors.New("the line has no event, so it is no audit record")

// Record decodes the line. It shares nothing with Raw. It fails where the line is
// no audit record, and does not tell whether anybody changed it: see Verify.
func (l Line) Record() (*audit.Record, error) {
	var record audit.Record
	if err := json.Unmarshal(l.Raw, &record); err != nil {
		return nil, fmt.Errorf("%s: no audit record: %w", l, err)
	}
	if record.Event == "" {
		return nil, fmt.Errorf("%s: %w", l, errNoRecord)
	}
	return &record, nil
}

// Records gives the records of lines, without those lines that are none; passed is
// told of each of these, and may be nil.
func Records(lines iter.Seq2[Line, error], passed func(Line, error)) iter.Seq2[*audit.Record, error] {
	return func(yield func(*audit.Record, error) bool) {
		for line, err := range lines {
			if err != nil {
				yield(nil, err)
				return
			}
			record, err := line.Record()
			if err != nil {
				if passed != nil {
					passed(line, err)
				}
				continue
			}
			if !yield(record, nil) {
				return
			}
		}
	}
}
