// SPDX-License-Identifier: Apache-2.0

package ocsf_test

import (
	"encoding/json"
	"fmt"
	"math"
	"os"
	"slices"
	"strconv"
	"testing"
)

// schema is what testdata keeps of a published version of OCSF.
type schema struct {
	Version string
	Class   struct {
		UID        int
		Profiles   []string
		Attributes map[string]attribute
	}
	Objects map[string]struct {
		Attributes  map[string]attribute
		Constraints map[string][]string
	}
}

type attribute struct {
	Type     string
	Object   string
	Array    bool
	Required bool
	Profile  string
	Sibling  string
	Enum     map[string]string
}

func readSchema(t *testing.T, version string) *schema {
	t.Helper()
	text, err := os.ReadFile("testdata/api_activity-" + version + ".json")
	if err != nil {
		t.Fatal(err)
	}
	s := &schema{}
	if err := json.Unmarshal(text, s); err != nil {
		t.Fatal(err)
	}
	return s
}

// faults are what the schema has against an event: attributes that are missing,
// unknown, of another type, of a profile that is not applied, values that are
// not in an enumeration, and words that are not those of their identifier.
func (s *schema) faults(event map[string]any) []string {
	var profiles []string
	if metadata, ok := event["metadata"].(map[string]any); ok {
		list, _ := metadata["profiles"].([]any)
		for _, profile := range list {
			profiles = append(profiles, fmt.Sprint(profile))
		}
	}
	for _, profile := range profiles {
		if !slices.Contains(s.Class.Profiles, profile) {
			return []string{"metadata.profiles: the class has no profile " + profile}
		}
	}
	w := &checker{schema: s, profiles: profiles}
	w.object("", s.Class.Attributes, event)
	slices.Sort(w.found)
	return w.found
}

type checker struct {
	schema   *schema
	profiles []string
	found    []string
}

func (c *checker) add(path, format string, args ...any) {
	c.found = append(c.found, path+": "+fmt.Sprintf(format, args...))
}

func (c *checker) applies(a attribute) bool {
	return a.Profile == "" || slices.Contains(c.profiles, a.Profile)
}

func (c *checker) object(path string, attributes map[string]attribute, value map[string]any) {
	for name, a := range attributes {
		if _, has := value[name]; a.Required && c.applies(a) && !has {
			c.add(path+name, "is required")
		}
	}
	for name, v := range value {
		a, known := attributes[name]
		switch {
		case !known:
			c.add(path+name, "is no attribute")
		case !c.applies(a):
			c.add(path+name, "is of the profile %s, which the event does not have", a.Profile)
		default:
			c.value(path+name, a, v)
			c.sibling(path+name, a, v, value)
		}
	}
}

func (c *checker) value(path string, a attribute, value any) {
	if !a.Array {
		c.single(path, a, value)
		return
	}
	list, ok := value.([]any)
	if !ok {
		c.add(path, "is no array")
	}
	for i, v := range list {
		c.single(fmt.Sprintf("%s[%d]", path, i), a, v)
	}
}

func (c *checker) single(path string, a attribute, value any) {
	switch a.Type {
	case "object_t":
		inner, ok := value.(map[string]any)
		if !ok {
			c.add(path, "is no object")
			return
		}
		if a.Object == "object" { // unmapped: anything
			return
		}
		of, known := c.schema.Objects[a.Object]
		if !known {
			c.add(path, "the test does not have object %s", a.Object)
			return
		}
		c.object(path+".", of.Attributes, inner)
		if names := of.Constraints["at_least_one"]; len(names) > 0 && !slices.ContainsFunc(names, func(n string) bool { _, has := inner[n]; return has }) {
			c.add(path, "has none of %v", names)
		}
	case "integer_t", "long_t", "timestamp_t":
		if n, ok := value.(float64); !ok || n != math.Trunc(n) {
			c.add(path, "is %v and no whole number", value)
		} else if _, has := a.Enum[strconv.FormatInt(int64(n), 10)]; len(a.Enum) > 0 && !has {
			c.add(path, "is %v, which is not in the enumeration", value)
		}
	case "boolean_t":
		if _, ok := value.(bool); !ok {
			c.add(path, "is no boolean")
		}
	default:
		if _, ok := value.(string); !ok {
			c.add(path, "is no string")
		}
	}
}

// sibling compares the words beside an identifier with its caption.
func (c *checker) sibling(path string, a attribute, value any, beside map[string]any) {
	id, ok := value.(float64)
	words, has := beside[a.Sibling]
	if a.Sibling == "" || len(a.Enum) == 0 || !ok || !has || id == 99 {
		return
	}
	if caption := a.Enum[strconv.FormatInt(int64(id), 10)]; caption != words {
		c.add(path, "is %v, %s, and beside it stands %v", id, caption, words)
	}
}
