// SPDX-License-Identifier: Apache-2.0

package auditexport

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"strings"

	"github.com/ow-kai/ascend-operator/internal/audit"
	"github.com/ow-kai/ascend-operator/internal/ocsf"
	"github.com/ow-kai/ascend-operator/internal/terminal"
)

// Format is a way to write records.
type Format string

// The formats.
const (
	// JSONL: the lines of the trail, byte for byte. Only these can be verified.
	JSONL Format = "jsonl"
	// CSV: a table of Columns.
	CSV Format = "csv"
	// OCSF: a line of JSON an event of package ocsf.
	OCSF Format = "ocsf"
)

// Formats are all of them.
var Formats = []Format{JSONL, CSV, OCSF}

// Names are the names of the formats.
func Names() []string {
	names := make([]string, len(Formats))
	for i, format := range Formats {
		names[i] = string(format)
	}
	return names
}

// Writer writes records one by one. Nothing is certain to be written before
// Flush, which does not close what is written to.
type Writer interface {
	// Write writes a record, with the line it was read from, without its end.
	Write(line []byte, r *audit.Record) error
	Flush() error
}

// NewWriter returns a writer of the format. It fails where there is no such format.
func NewWriter(format Format, to io.Writer) (Writer, error) {
	switch format {
	case JSONL:
		return &lines{to: to}, nil
	case CSV:
		return &table{to: csv.NewWriter(to)}, nil
	case OCSF:
		return &events{to: json.NewEncoder(to)}, nil
	default:
		return nil, fmt.Errorf("there is no format %q; use %s", terminal.Safe(string(format)), strings.Join(Names(), ", "))
	}
}

// lines writes JSONL.
type lines struct {
	to   io.Writer
	line []byte
}

func (w *lines) Write(line []byte, _ *audit.Record) error {
	w.line = append(append(w.line[:0], bytes.TrimRight(line, "\n")...), '\n')
	_, err := w.to.Write(w.line)
	return err
}

func (w *lines) Flush() error { return nil }

// events writes OCSF.
type events struct{ to *json.Encoder }

func (w *events) Write(_ []byte, r *audit.Record) error {
	event, err := ocsf.FromRecord(r)
	if err != nil {
		return err
	}
	return w.to.Encode(event)
}

func (w *events) Flush() error { return nil }
