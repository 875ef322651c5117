// SPDX-License-Identifier: Apache-2.0

package lint

import (
	"fmt"

	"k8s.io/apimachinery/pkg/util/validation/field"
)

// Severity says how bad a finding is.
type Severity string

// The severities.
const (
	// Error is what admission refuses.
	Error Severity = "Error"
	// Warning is what is let through and will surprise whoever wrote it.
	Warning Severity = "Warning"
	// Info is what may well be meant.
	Info Severity = "Info"
)

// Finding is what is to be said of one field.
type Finding struct {
	// Code says what kind of finding it is, for those who filter or count.
	Code Code
	// Severity is Warning for all that admission lets through.
	Severity Severity
	// Path of the field, such as spec.match.actionTypes[0].
	Path string
	// Message says on one line what will surprise, and mostly what to do.
	Message string
}

// String returns "path: message", as admission says it.
func (f Finding) String() string { return f.Path + ": " + f.Message }

// Refusals are the findings for what is refused, in the same order; String
// then says what the field errors say.
func Refusals(errs field.ErrorList) []Finding {
	var out []Finding
	for _, err := range errs {
		out = append(out, Finding{Code: Invalid, Severity: Error, Path: err.Field, Message: err.ErrorBody()})
	}
	return out
}

// findings are collected in the order in which they are to be read.
type findings []Finding

// add warns of a field.
func (f *findings) add(code Code, path, format string, args ...any) {
	f.addAs(Warning, code, path, format, args...)
}

func (f *findings) addAs(severity Severity, code Code, path, format string, args ...any) {
	*f = append(*f, Finding{Code: code, Severity: severity, Path: path, Message: fmt.Sprintf(format, args...)})
}
