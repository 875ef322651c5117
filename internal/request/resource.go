// SPDX-License-Identifier: Apache-2.0

package request

import (
	"encoding/hex"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"github.com/ow-kai/ascend-operator/internal/match"
)

const (
	// MaxResources is how many names of resources are kept; with more,
	// ResourceUnknown is set.
	MaxResources = 64
	// MaxResourceBytes is the length of the longest name that is kept.
	MaxResourceBytes = 4096
)

// resourceKeys are the parameters that name a resource, in the order in which
// they stand in for an empty spec.resource.
var resourceKeys = [...]string{"table", "resource", "path", "url"}

// readResources reads every place that names a resource. Other spellings of
// the keys, and their plurals, are read too: more names make nothing look safer.
func (r *Request) readResources(specResource string) {
	if specResource != "" {
		r.addResource(specResource, true)
	}
	for _, key := range resourceKeys {
		if value, present := r.Parameters[key]; present {
			r.readResource(value, splits(key))
		}
	}
	for _, key := range resourceKeys {
		for _, other := range spellings(r.Parameters, key) {
			r.readResource(r.Parameters[other], splits(key))
		}
	}
	if len(r.Resources) == 0 {
		r.ResourceUnknown = true
	}
}

// splits says whether a name under the key may be a list: a table or a
// resource may, while paths and URLs have commas and spaces of their own.
func splits(key string) bool { return key == "table" || key == "resource" }

// spellings returns the keys that stand for key without being it, sorted.
func spellings(object map[string]any, key string) []string {
	var found []string
	for other := range object {
		if other != key && (sameWord(other, key) || sameWord(other, key+"s")) {
			found = append(found, other)
		}
	}
	slices.Sort(found)
	return found
}

func (r *Request) readResource(value any, split bool) {
	switch v := value.(type) {
	case string:
		r.addResource(v, split)
	case []any:
		if len(v) == 0 {
			r.ResourceUnknown = true
		}
		for _, item := range v {
			if name, isText := item.(string); isText {
				r.addResource(name, split)
			} else {
				r.ResourceUnknown = true
			}
		}
	default:
		r.ResourceUnknown = true
	}
}

func (r *Request) addResource(name string, split bool) {
	folded := match.Fold(name)
	if folded == "" || len(folded) > MaxResourceBytes {
		r.ResourceUnknown = true
		return
	}
	if r.Resource == "" {
		r.Resource = name
	}
	if !isPlain(folded) || foldsForeign(name, folded) {
		r.ResourceUnknown = true
	}
	r.keepResource(folded)
	if !split || isURL(folded) {
		return
	}
	for part := range strings.FieldsFuncSeq(folded, isSeparator) {
		r.keepResource(part)
	}
}

func (r *Request) keepResource(folded string) {
	switch {
	case slices.Contains(r.Resources, folded):
	case len(r.Resources) == MaxResources:
		r.ResourceUnknown = true
	default:
		r.Resources = append(r.Resources, folded)
	}
}

// foldsForeign says whether folding has made an ASCII letter, or nothing, of a
// character that is none, such as the Kelvin sign: whoever acts on the name
// will see another one than patterns do.
func foldsForeign(name, folded string) bool { return foreign(name) != foreign(folded) }

// foreign counts the characters that are not ASCII.
func foreign(s string) (n int) {
	for _, c := range s {
		if c >= utf8.RuneSelf {
			n++
		}
	}
	return n
}

// isSeparator says whether a character stands between names or around one.
func isSeparator(c rune) bool {
	return unicode.IsSpace(c) || strings.ContainsRune("\"'`,;|()[]{}<>", c)
}

func isURL(name string) bool { return strings.Contains(name, "://") }

// isPlain says whether a folded name stands for itself and nothing else,
// whoever reads it: no wildcard, no way around in the path, nothing written in
// a roundabout way, no character that cannot be seen or is likely to be taken
// for another.
func isPlain(name string) bool {
	scheme, rest, isURL := strings.Cut(name, "://")
	if !isURL {
		scheme, rest = "", name
	}
	switch {
	case strings.ContainsAny(name, "*\\"),
		!isURL && strings.ContainsAny(name, "?%"),
		isURL && strings.ContainsFunc(name, isSeparator),
		strings.Contains(scheme, "/"),
		strings.Contains(rest, "//"):
		return false
	}
	if isURL {
		authority, _, _ := strings.Cut(rest, "/")
		if strings.Contains(authority, "@") || hasNeedlessEscape(rest) {
			return false
		}
	}
	for segment := range strings.SplitSeq(rest, "/") {
		if segment == "." || segment == ".." || strings.HasPrefix(segment, "..?") || strings.HasPrefix(segment, "..;") {
			return false
		}
	}
	return isLegible(name)
}

// hasNeedlessEscape says whether a URL escapes what need not be escaped, or
// what would change its path, or escapes wrongly. Source: RFC 3986, section 2.3.
func hasNeedlessEscape(url string) bool {
	for {
		_, after, found := strings.Cut(url, "%")
		if !found {
			return false
		}
		if len(after) < 2 {
			return true
		}
		decoded, err := hex.DecodeString(after[:2])
		if err != nil {
			return true
		}
		c := decoded[0]
		if lower(c) >= 'a' && lower(c) <= 'z' || c >= '0' && c <= '9' || c < ' ' || strings.IndexByte("-._~/\\%*@", c) >= 0 {
			return true
		}
		url = after[2:]
	}
}

// isLegible says whether every character of a name can be seen and is in the
// one form that all readers compare, and no word mixes Latin letters with
// those of another script.
func isLegible(name string) bool {
	ascii, latin, other := true, false, false
	for _, c := range name {
		switch {
		case c < utf8.RuneSelf:
			if c < ' ' || c == 0x7f {
				return false
			}
			latin = latin || c >= 'a' && c <= 'z'
			continue
		case c == utf8.RuneError, unicode.IsSpace(c), !unicode.IsGraphic(c),
			unicode.In(c, unicode.Other_Default_Ignorable_Code_Point, unicode.Variation_Selector):
			return false
		case unicode.Is(unicode.Latin, c):
			latin = true
		case unicode.IsLetter(c):
			other = true
		}
		ascii = false
	}
	mixed := latin && other
	return ascii || !mixed && norm.NFKC.IsNormalString(name)
}
