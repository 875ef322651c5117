// SPDX-License-Identifier: Apache-2.0

// Package changes says, field by field, what of a JSON object became another.
// It is pure. Patch libraries answer another question: they give the shortest
// way from one document to the other, in which an entry that is put into a list
// moves all behind it, and they do not tell what was there before.
package changes

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"reflect"
	"slices"
	"strconv"
	"strings"
)

const (
	// Max is how many changes are told.
	Max = 64
	// MaxText is how long the text of a value is, in characters.
	MaxText = 1024
	// maxField is how long the path of a field is, in characters.
	maxField = 512
)

// Change is one field that became another.
type Change struct {
	// Field is its path, such as spec.stages[0].required. A name that is no plain
	// word is quoted: metadata.labels["app.kubernetes.io/name"].
	Field string
	// Before and After are its JSON text, cut to MaxText characters; empty where
	// there was none.
	Before, After string
}

// Mask returns what is shown in place of a text that stands under these names,
// outermost first; entries of lists have none.
type Mask func(names []string, text string) string

// Between tells what changed from one JSON value to another, both as
// encoding/json decodes them with UseNumber. Objects and lists that are on both
// sides are compared by name and by place; of what is on one side only its whole
// is told, as of a value that became one of another type. The order is that of the
// names, and of the places in lists. Where that would be more than Max, objects and
// lists are told as a whole from the deepest level on, so that no number of changes
// in one place hides another; what is still more than Max is counted in more. Texts
// are compared as they are and shown as mask says; nil shows them.
func Between(before, after any, mask Mask) (changes []Change, more int) {
	c := comparison{mask: mask, levels: everyLevel}
	c.compare(place{}, before, after)
	for levels := manyLevels; c.more > 0 && levels > 0; levels-- {
		c = comparison{mask: mask, levels: levels}
		c.compare(place{}, before, after)
	}
	return c.found, c.more
}

// The levels of objects and lists that are looked into: all, and those that are
// tried first where that gives too much.
const (
	everyLevel = math.MaxInt
	manyLevels = 4
)

// Decode reads JSON as Between takes it.
func Decode(text []byte) (any, error) {
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.UseNumber()
	var value any
	if err := decoder.Decode(&value); err != nil {
		return nil, fmt.Errorf("read JSON: %w", err)
	}
	return value, nil
}

// place is where a value stands.
type place struct {
	path  string
	names []string
	level int
}

func (p place) field(name string) place {
	next := place{names: append(slices.Clip(p.names), name), level: p.level + 1}
	switch {
	case !plain(name):
		next.path = p.path + "[" + strconv.QuoteToASCII(name) + "]"
	case p.path == "":
		next.path = name
	default:
		next.path = p.path + "." + name
	}
	return next
}

func (p place) entry(i int) place {
	return place{path: p.path + "[" + strconv.Itoa(i) + "]", names: p.names, level: p.level + 1}
}

// plain says whether a name can stand in a path as it is.
func plain(name string) bool {
	const word = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-"
	return name != "" && strings.Trim(name, word) == ""
}

// comparison collects changes.
type comparison struct {
	mask   Mask
	levels int // that are looked into
	found  []Change
	more   int
}

// missing stands where there is no value; JSON's null is nil.
type missing struct{}

func (c *comparison) compare(at place, before, after any) {
	switch old := before.(type) {
	case map[string]any:
		if next, both := after.(map[string]any); both && at.level < c.levels {
			c.objects(at, old, next)
			return
		}
	case []any:
		if next, both := after.([]any); both && at.level < c.levels {
			c.lists(at, old, next)
			return
		}
	}
	if reflect.DeepEqual(before, after) {
		return
	}
	if len(c.found) == Max {
		c.more++
		return
	}
	c.found = append(c.found, Change{Field: cut(at.path, maxField), Before: c.text(at, before), After: c.text(at, after)})
}

func (c *comparison) objects(at place, before, after map[string]any) {
	names := slices.Sorted(maps.Keys(before))
	for name := range after {
		if _, both := before[name]; !both {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	for _, name := range names {
		c.compare(at.field(name), valueOf(before, name), valueOf(after, name))
	}
}

func valueOf(object map[string]any, name string) any {
	if value, has := object[name]; has {
		return value
	}
	return missing{}
}

func (c *comparison) lists(at place, before, after []any) {
	entry := func(list []any, i int) any {
		if i < len(list) {
			return list[i]
		}
		return missing{}
	}
	for i := range max(len(before), len(after)) {
		c.compare(at.entry(i), entry(before, i), entry(after, i))
	}
}

// text is a value as it is shown.
func (c *comparison) text(at place, value any) string {
	if value == any(missing{}) {
		return ""
	}
	var out bytes.Buffer
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(c.shown(at.names, value)); err != nil {
		return "" // no JSON decodes to what cannot be encoded
	}
	return cut(strings.TrimSuffix(out.String(), "\n"), MaxText)
}

// shown is a copy of a value, with its texts masked.
func (c *comparison) shown(names []string, value any) any {
	switch v := value.(type) {
	case string:
		if c.mask == nil {
			return v
		}
		return c.mask(names, v)
	case map[string]any:
		copied := make(map[string]any, len(v))
		for name, inner := range v {
			copied[name] = c.shown(append(slices.Clip(names), name), inner)
		}
		return copied
	case []any:
		copied := make([]any, len(v))
		for i, inner := range v {
			copied[i] = c.shown(names, inner)
		}
		return copied
	}
	return value
}

// cut shortens a text to a number of characters.
func cut(text string, limit int) string {
	if len(text) <= limit {
		return text
	}
	characters := []rune(text)
	if len(characters) <= limit {
		return text
	}
	return string(characters[:limit-1]) + "…"
}
