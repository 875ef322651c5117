// SPDX-License-Identifier: Apache-2.0

package manifest

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"k8s.io/apimachinery/pkg/util/validation/field"
)

// maxQuoted is how many characters of a value a message repeats.
const maxQuoted = 80

var (
	inBody      = regexp.MustCompile(`^\S* in body (must|should) `)
	wantedTypes = regexp.MustCompile(`must be of type (\S+?): "(.*)"`)
	shortened   = regexp.MustCompile(`,\s+regex used for validation is '.*'\)`)
	supported   = regexp.MustCompile(`"((?:[^"\\]|\\.)*)"`)
)

// formExamples show values of a format.
var formExamples = map[string]string{"date-time": ", such as 2026-01-31T09:00:00Z"}

// explain puts an error of the API server's validation into words: what is
// wrong with the value, the limit, and what to do.
func explain(err *field.Error) fault {
	f := fault{path: err.Field}
	if f.path == "<nil>" {
		f.path = ""
	}
	detail := inBody.ReplaceAllString(err.Detail, "it $1 ")
	detail = shortened.ReplaceAllString(detail, ")")
	detail = strings.Replace(detail, "at least 1 chars long", "at least 1 character long", 1)
	detail = strings.Replace(detail, "chars long", "characters long", 1)
	switch err.Type {
	case field.ErrorTypeRequired:
		f.message = "it is required and missing; set it"
		if err.Detail != "" {
			f.message = "it is missing: " + detail
		}
	case field.ErrorTypeNotSupported:
		f.message = notSupported(err)
	case field.ErrorTypeTypeInvalid:
		f.message = wrongType(err)
	case field.ErrorTypeTooLong:
		// It says bytes and counts characters.
		f.message = "it is too long: it " + strings.Replace(detail, "bytes", "characters", 1)
	case field.ErrorTypeTooMany:
		f.message = fmt.Sprintf("it has %v entries; it %s", err.BadValue, detail)
	case field.ErrorTypeDuplicate:
		f.message = entry(err.BadValue) + " is in the list already; keep one"
	case field.ErrorTypeInvalid:
		f.message = detail
		if shown := show(err.BadValue); shown != "" {
			f.message = shown + ": " + detail
		}
	case field.ErrorTypeForbidden:
		f.message = "it must not be set: " + detail
	case field.ErrorTypeNotFound, field.ErrorTypeInternal:
		f.message = err.ErrorBody()
	default:
		f.message = err.ErrorBody()
	}
	return f
}

// explainAll explains errors but for those that say no more than another does of
// the same field: that a form is not kept, and the pattern it has.
func explainAll(errs field.ErrorList) []fault {
	misformed := map[string]bool{}
	for _, err := range errs {
		if found := wantedTypes.FindStringSubmatch(err.Detail); len(found) > 1 && formExamples[found[1]] != "" {
			misformed[err.Field] = true
		}
	}
	var faults []fault
	for _, err := range errs {
		if misformed[err.Field] && strings.Contains(err.Detail, "should match") {
			continue
		}
		faults = append(faults, explain(err))
	}
	return faults
}

// notSupported names the values of an enum, and the one that was meant.
func notSupported(err *field.Error) string {
	var values []string
	for _, found := range supported.FindAllString(err.Detail, -1) {
		if value, unquoteErr := strconv.Unquote(found); unquoteErr == nil {
			values = append(values, value)
		}
	}
	message := show(err.BadValue) + " is not one of " + strings.Join(values, ", ")
	if near := closest(fmt.Sprint(err.BadValue), values); near != "" {
		message += "; did you mean " + near + "?"
	}
	return message
}

// wrongType says what the value is and what it must be, and how YAML is
// brought to see it so.
func wrongType(err *field.Error) string {
	found := wantedTypes.FindStringSubmatch(err.Detail)
	if found == nil {
		return inBody.ReplaceAllString(err.Detail, "it $1 ")
	}
	wanted, is := found[1], found[2]
	names := map[string]string{
		"string": "text", "integer": "a whole number", "number": "a number", "boolean": "true or false",
		"array": "a list", "object": "an object", "null": "empty",
	}
	if names[wanted] == "" { // a format
		return show(err.BadValue) + " is no " + wanted + formExamples[wanted]
	}
	message := fmt.Sprintf("it is %s; it must be %s", names[is], names[wanted])
	switch {
	case wanted == "string" && (is == "integer" || is == "number" || is == "boolean"):
		message += "; put it in quotes"
	case is == "string" && (wanted == "integer" || wanted == "number" || wanted == "boolean"):
		message += "; if it is in quotes, take them away"
	case wanted == "array":
		message += "; write each entry behind a dash"
	}
	return message
}

// show is a value in a message: scalars as they are written, cut where they
// are long; nothing for objects and lists.
func show(value any) string {
	switch value := value.(type) {
	case string:
		if value == "" {
			return ""
		}
		return quote(value)
	case int64, int, float64, bool:
		return fmt.Sprint(value)
	}
	return ""
}

// entry is what tells an entry of a list from the others, in a message.
func entry(value any) string {
	keys, isObject := value.(map[string]any)
	if !isObject {
		return show(value)
	}
	var parts []string
	for _, name := range sortedKeys(keys) {
		parts = append(parts, name+" "+show(keys[name]))
	}
	return strings.Join(parts, " with ")
}

// quote puts text in quotes and cuts it where it is long.
func quote(text string) string {
	if runes := []rune(text); len(runes) > maxQuoted {
		text = string(runes[:maxQuoted]) + "…"
	}
	return strconv.Quote(text)
}

func typeName(value any) string {
	switch value.(type) {
	case string:
		return "text"
	case bool:
		return "true or false"
	case int64, float64:
		return "a number"
	case []any:
		return "a list"
	case map[string]any:
		return "an object"
	}
	return "empty"
}

func quoteHint(value any) string {
	switch value.(type) {
	case bool, int64, float64:
		return "; put it in quotes"
	}
	return ""
}

// decodeError puts an error of the JSON decoder into words.
func decodeError(err error) (path, message string) {
	if wrong, mistyped := errors.AsType[*json.UnmarshalTypeError](err); mistyped {
		return wrong.Field, fmt.Sprintf("it is a JSON %s; it must be of type %s", wrong.Value, wrong.Type)
	}
	return "", "it cannot be read: " + err.Error()
}

// undecodable is the problem of a document that does not fit a Go type.
func (d *Document) undecodable(err error) Problem {
	path, message := decodeError(err)
	return d.Problem(path, "%s", message)
}

func sortedKeys(m map[string]any) []string { return slices.Sorted(maps.Keys(m)) }
