// SPDX-License-Identifier: Apache-2.0

package manifest

import (
	"maps"
	"reflect"
	"regexp"
	"slices"
	"strings"

	structuralschema "k8s.io/apiextensions-apiserver/pkg/apiserver/schema"
)

// around is what could have been meant by an unknown field.
type around struct {
	// siblings are the fields that there are in its place.
	siblings []string
	// elsewhere is the path of a field of this name, where there is one.
	elsewhere string
}

// unknownField says that there is no such field, and which was meant.
func unknownField(path string, known around) string {
	name := path[strings.LastIndexAny(path, ".]")+1:]
	message := "there is no such field"
	switch near := closest(name, known.siblings); {
	case near != "":
		return message + "; did you mean " + near + "?"
	case known.elsewhere != "":
		return message + " here; did you mean " + known.elsewhere + "?"
	case len(known.siblings) == 0:
		return message + "; remove it"
	}
	return message + "; remove it, or use one of " + strings.Join(known.siblings, ", ")
}

// fieldsAround looks up what could have been meant by the unknown field.
func (k kindSchema) fieldsAround(path string) around {
	parent, rest := k.Structural, path
	for {
		rest = strings.TrimPrefix(rest, ".")
		if strings.HasPrefix(rest, "[") && parent.Items != nil {
			_, rest, _ = strings.Cut(rest, "]")
			parent = parent.Items
			continue
		}
		name := rest
		if end := strings.IndexAny(rest, ".["); end >= 0 {
			name = rest[:end]
		}
		child, known := parent.Properties[name]
		if !known {
			break
		}
		parent, rest = &child, rest[len(name):]
	}
	known := around{siblings: slices.Sorted(maps.Keys(parent.Properties))}
	if spec, hasSpec := k.Structural.Properties["spec"]; hasSpec {
		known.elsewhere = fieldNamed(rest, &spec, "spec")
	}
	return known
}

// fieldNamed returns the path of the field of this name that is the least deep,
// outside of lists.
func fieldNamed(name string, schema *structuralschema.Structural, path string) string {
	names := slices.Sorted(maps.Keys(schema.Properties))
	for _, field := range names {
		if strings.EqualFold(field, name) {
			return path + "." + field
		}
	}
	for _, field := range names {
		child := schema.Properties[field]
		if found := fieldNamed(name, &child, path+"."+field); found != "" {
			return found
		}
	}
	return ""
}

// knownFields are those of a Go type with json tags that are in the place of
// the unknown field.
func knownFields(object any, path string) around {
	t := plain(reflect.TypeOf(object))
	names := strings.Split(indices.ReplaceAllString(path, ""), ".")
	for _, name := range names[:len(names)-1] {
		if t == nil || t.Kind() != reflect.Struct {
			return around{}
		}
		t = plain(jsonFields(t)[name])
	}
	if t == nil || t.Kind() != reflect.Struct {
		return around{}
	}
	return around{siblings: slices.Sorted(maps.Keys(jsonFields(t)))}
}

var indices = regexp.MustCompile(`\[\d+\]`)

// plain is what pointers and lists are of.
func plain(t reflect.Type) reflect.Type {
	for t != nil && (t.Kind() == reflect.Pointer || t.Kind() == reflect.Slice) {
		t = t.Elem()
	}
	return t
}

// jsonFields are the fields of a struct, with those of structs that are inline.
func jsonFields(t reflect.Type) map[string]reflect.Type {
	fields := map[string]reflect.Type{}
	for field := range t.Fields() {
		name, _, _ := strings.Cut(field.Tag.Get("json"), ",")
		inner := plain(field.Type)
		switch {
		case name == "-" || !field.IsExported() && !field.Anonymous:
		case name == "" && field.Anonymous && inner.Kind() == reflect.Struct:
			maps.Copy(fields, jsonFields(inner))
		case name == "":
			fields[field.Name] = field.Type
		default:
			fields[name] = field.Type
		}
	}
	return fields
}

// closest returns the candidate that is most like the word, if one is like
// enough to have been meant: upper and lower case aside, one letter in three
// may differ, three at most.
func closest(word string, candidates []string) string {
	best, least := "", min(3, max(1, len(word)/3))+1
	for _, candidate := range candidates {
		if d := distance(strings.ToLower(word), strings.ToLower(candidate)); d < least {
			best, least = candidate, d
		}
	}
	return best
}

// distance is how many letters have to be put in, left out, exchanged, or
// swapped with their neighbour to make b of a. Very long words count as
// entirely different.
func distance(a, b string) int {
	const longest = 64
	if len(a) > longest || len(b) > longest {
		return longest
	}
	before, last, next := make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range last {
		last[j] = j
	}
	for i := 1; i <= len(a); i++ {
		next[0] = i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			next[j] = min(last[j]+1, next[j-1]+1, last[j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				next[j] = min(next[j], before[j-2]+1)
			}
		}
		before, last, next = last, next, before
	}
	return last[len(b)]
}
