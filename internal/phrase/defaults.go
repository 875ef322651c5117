// SPDX-License-Identifier: Apache-2.0

package phrase

import (
	"errors"
	"strconv"
	"strings"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	kerrors "k8s.io/apimachinery/pkg/util/errors"
	"k8s.io/apimachinery/pkg/util/validation/field"
)

// What is meant where a field is left out. Source: the schema of v1alpha1.
const (
	defaultPriority = 50
	defaultTimeout  = 24 * time.Hour
	defaultValidity = time.Hour
	defaultOverride = 2
)

// span is a duration in words, to the last unit, or the other where it is left out.
func span(d *metav1.Duration, otherwise time.Duration) string {
	rest := otherwise
	if d != nil {
		rest = d.Duration
	}
	var parts []string
	for _, unit := range []struct {
		size time.Duration
		name string
	}{{time.Hour, " h"}, {time.Minute, " min"}, {time.Second, " s"}, {time.Millisecond, " ms"}} {
		if rest >= unit.size {
			parts = append(parts, strconv.FormatInt(int64(rest/unit.size), 10)+unit.name)
			rest %= unit.size
		}
	}
	if len(parts) == 0 {
		return "0 s"
	}
	return strings.Join(parts, " ")
}

// problems are the errors of a rule that does not compile, with their paths.
func problems(err error) []*field.Error {
	var many kerrors.Aggregate
	if !errors.As(err, &many) {
		return nil
	}
	var out []*field.Error
	for _, one := range many.Errors() {
		if at, is := errors.AsType[*field.Error](one); is {
			out = append(out, at)
		}
	}
	return out
}
