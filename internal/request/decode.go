// SPDX-License-Identifier: Apache-2.0

package request

import (
	"bytes"
	"fmt"
	"strconv"
	"unicode/utf8"

	"k8s.io/apimachinery/pkg/runtime"
	kjson "sigs.k8s.io/json"
)

// The limits of spec.parameters and spec.context.
const (
	// MaxObjectBytes is the size of the JSON text, 64 KiB.
	MaxObjectBytes = 64 << 10
	// MaxDepth is how deep objects and arrays may be nested; the outermost
	// object is level 1.
	MaxDepth = 32
	// MaxKeys is the number of keys in all objects together.
	MaxKeys = 1000
	// MaxInteger is the largest whole number, 2^53, up to which every one is
	// a double. Beyond it one is refused unless it is written as a double is:
	// readers of JSON round the others, so that two of them would see two
	// numbers under one digest.
	// Source: RFC 8785, appendix D; RFC 7493, section 2.2.
	MaxInteger = 1 << 53
)

// InvalidError says that a field of an action is over a limit or cannot be read.
type InvalidError struct {
	// Field is the path of the field, such as spec.parameters.
	Field string
	// Problem says what is wrong, with the limit.
	Problem string
	// Help says what to do next.
	Help string
}

// Error returns field, problem and help as one sentence.
func (e *InvalidError) Error() string {
	return fmt.Sprintf("%s %s; %s", e.Field, e.Problem, e.Help)
}

func invalid(field, problem, help string) *InvalidError {
	return &InvalidError{Field: field, Problem: problem, Help: help}
}

// decodeObject reads a JSON object within the limits. No text, or null, is an
// empty object. The object is never nil.
func decodeObject(name string, raw *runtime.RawExtension) (map[string]any, error) {
	empty := map[string]any{}
	switch {
	case raw == nil:
		return empty, nil
	case len(raw.Raw) == 0 && raw.Object != nil:
		return empty, invalid(name, "is not JSON text, but a Go object", "marshal it to JSON first")
	case len(raw.Raw) == 0 || bytes.Equal(raw.Raw, []byte("null")):
		return empty, nil
	}
	if err := checkText(name, raw.Raw); err != nil {
		return empty, err
	}
	var value any
	// Like util/json this reads whole numbers as int64, which is what CEL's int needs.
	strict, err := kjson.UnmarshalStrict(raw.Raw, &value, kjson.DisallowDuplicateFields)
	if err != nil {
		return empty, invalid(name, "is not valid JSON: "+err.Error(), "submit a JSON object")
	}
	if len(strict) > 0 {
		return empty, invalid(name, "has a key twice in one object: "+strict[0].Error(), "give each key once")
	}
	object, isObject := value.(map[string]any)
	if !isObject {
		return empty, invalid(name, "must be a JSON object, but is "+jsonKind(value), `submit it as {"name": value}`)
	}
	if keys := countKeys(object); keys > MaxKeys {
		return empty, invalid(name,
			fmt.Sprintf("has %d keys, the limit is %d", keys, MaxKeys), "submit a reference to the data in its place")
	}
	return object, nil
}

// checkText checks what can be checked before the text is decoded.
func checkText(name string, raw []byte) error {
	if len(raw) > MaxObjectBytes {
		return invalid(name,
			fmt.Sprintf("has %d bytes of JSON, the limit is %d (64 KiB)", len(raw), MaxObjectBytes),
			"submit a reference to the data in its place")
	}
	if !utf8.Valid(raw) {
		return invalid(name, "is not valid UTF-8", "use valid UTF-8 text only")
	}
	depth, rounded := scan(raw)
	if depth > MaxDepth {
		return invalid(name,
			fmt.Sprintf("is nested %d levels deep, the limit is %d", depth, MaxDepth), "flatten it")
	}
	if rounded != nil {
		return invalid(name,
			fmt.Sprintf("has the whole number %.32s, which readers of JSON round: beyond 2^53 not every one can be held", rounded),
			"write it as a string")
	}
	return nil
}

// scan returns how deep objects and arrays are nested in JSON text, and the
// first whole number that readers of JSON round. It reads bytes, so that text of any
// depth takes no stack.
func scan(raw []byte) (deepest int, rounded []byte) {
	depth := 0
	inString, escaped := false, false
	for i := 0; i < len(raw); i++ {
		switch c := raw[i]; {
		case escaped:
			escaped = false
		case inString:
			escaped = c == '\\'
			inString = c != '"'
		case c == '"':
			inString = true
		case c == '{' || c == '[':
			depth++
			deepest = max(deepest, depth)
		case c == '}' || c == ']':
			depth--
		case c >= '0' && c <= '9':
			start := i
			for i+1 < len(raw) && isNumeric(raw[i+1]) {
				i++
			}
			if number := raw[start : i+1]; rounded == nil && isRounded(number) {
				rounded = number
			}
		}
	}
	return deepest, rounded
}

func isNumeric(c byte) bool {
	return c >= '0' && c <= '9' || c == '.' || c == 'e' || c == 'E' || c == '+' || c == '-'
}

// isRounded says whether the text, without its sign, is a whole number that a
// double cannot hold, or that is the text of no double. With a fraction or an
// exponent it is a float, and meant as one.
func isRounded(number []byte) bool {
	if bytes.ContainsAny(number, ".eE") {
		return false
	}
	if n, err := strconv.ParseUint(string(number), 10, 64); err == nil && n <= MaxInteger {
		return false
	}
	double, err := strconv.ParseFloat(string(number), 64)
	return err != nil || strconv.FormatFloat(double, 'f', -1, 64) != string(number)
}

func countKeys(value any) int {
	n := 0
	switch v := value.(type) {
	case map[string]any:
		n = len(v)
		for _, item := range v {
			n += countKeys(item)
		}
	case []any:
		for _, item := range v {
			n += countKeys(item)
		}
	}
	return n
}

func jsonKind(value any) string {
	switch value.(type) {
	case nil:
		return "null"
	case bool:
		return "a boolean"
	case string:
		return "a string"
	case int64, float64:
		return "a number"
	case []any:
		return "an array"
	default:
		return "something else"
	}
}
