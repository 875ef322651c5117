// SPDX-License-Identifier: Apache-2.0

package rules

import (
	"fmt"
	"strings"

	"k8s.io/apimachinery/pkg/util/validation/field"
)

// failure is an error that is fit to be shown: one line, of bounded length.
type failure struct {
	text  string
	cause error
}

// Error returns the text.
func (f *failure) Error() string { return f.text }

// Unwrap returns the error as it was.
func (f *failure) Unwrap() error { return f.cause }

// conditionFailed says which condition of a rule failed.
func conditionFailed(name string, cause error) error {
	return &failure{text: oneLine(fmt.Sprintf("condition %q failed: %v", name, cause), maxNote), cause: cause}
}

// joined is one error for several; nil for none.
func joined(errs []error) error {
	switch len(errs) {
	case 0:
		return nil
	case 1:
		return errs[0]
	}
	texts := make([]string, len(errs))
	for i, err := range errs {
		texts[i] = err.Error()
	}
	return &failures{failure{text: oneLine(strings.Join(texts, "; "), maxNote)}, errs}
}

type failures struct {
	failure
	causes []error
}

// Unwrap returns all errors.
func (f *failures) Unwrap() []error { return f.causes }

// brokenRule says in one line what keeps a rule from being compiled: the path
// of each error and the first line of what is wrong there. It unwraps to the
// aggregate of the errors.
func brokenRule(errs field.ErrorList, aggregate error) error {
	texts := make([]string, len(errs))
	for i, err := range errs {
		texts[i], _, _ = strings.Cut(err.Error(), "\n")
	}
	return &failure{
		text:  oneLine("the rule does not compile: "+strings.Join(texts, "; "), maxNote),
		cause: aggregate,
	}
}
