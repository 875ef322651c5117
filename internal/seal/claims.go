// SPDX-License-Identifier: Apache-2.0

package seal

import (
	"fmt"
	"unicode/utf8"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// timeText is a time as the API writes it: UTC with microseconds. A time that
// is not there, or that the API cannot write, is the empty text.
func timeText(t *metav1.MicroTime) string {
	if t.IsZero() || t.UTC().Year() < 0 || t.UTC().Year() > 9999 {
		return ""
	}
	return t.UTC().Format(metav1.RFC3339Micro)
}

// claim is one field that is to be sealed.
type claim struct {
	field  string
	values []string
	needed bool
}

func needed(field, value string) claim {
	return claim{field: field, values: []string{value}, needed: true}
}

func optional(field string, values ...string) claim { return claim{field: field, values: values} }

// complete finds the first claim that cannot be sealed. Text that is not UTF-8 is
// one: JSON would spell different texts alike.
func complete(claims ...claim) error {
	for _, c := range claims {
		for _, value := range c.values {
			switch {
			case c.needed && value == "":
				return fmt.Errorf("%w: its %s is empty", ErrIncomplete, c.field)
			case !utf8.ValidString(value):
				return fmt.Errorf("%w: its %s is not valid UTF-8", ErrIncomplete, c.field)
			}
		}
	}
	return nil
}
