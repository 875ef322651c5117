// SPDX-License-Identifier: Apache-2.0

// Package schematest holds audit records against their schema, for tests.
package schematest

import (
	"bytes"
	"fmt"
	"sync"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/ow-kai/ascend-operator/internal/trail/schema"
)

// compiled is the schema, ready to validate.
var compiled = sync.OnceValues(func() (*jsonschema.Schema, error) {
	const name = "audit-record.schema.json"
	document, err := jsonschema.UnmarshalJSON(bytes.NewReader(schema.Text))
	if err != nil {
		return nil, fmt.Errorf("read the schema: %w", err)
	}
	compiler := jsonschema.NewCompiler()
	compiler.DefaultDraft(jsonschema.Draft2020)
	compiler.AssertFormat()
	if err := compiler.AddResource(name, document); err != nil {
		return nil, fmt.Errorf("add the schema: %w", err)
	}
	return compiler.Compile(name)
})

// Validate says what is wrong with one line of a trail, without its newline.
func Validate(line []byte) error {
	valid, err := compiled()
	if err != nil {
		return err
	}
	record, err := jsonschema.UnmarshalJSON(bytes.NewReader(line))
	if err != nil {
		return fmt.Errorf("no JSON: %w", err)
	}
	return valid.Validate(record)
}

// Check fails the test for every line of an audit log that is no valid record, and
// where there is none.
func Check(tb testing.TB, log []byte) {
	tb.Helper()
	number := 0
	for line := range bytes.Lines(log) {
		number++
		line = bytes.TrimSuffix(line, []byte("\n"))
		if err := Validate(line); err != nil {
			tb.Errorf("line %d is no valid audit record: %v\n%.2000s", number, err, line)
		}
	}
	if number == 0 {
		tb.Error("there is no audit record to validate")
	}
}
