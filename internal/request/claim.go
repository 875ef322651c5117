// SPDX-License-Identifier: Apache-2.0

package request

import "github.com/ow-kai/ascend-operator/internal/match"

// maxWord is the length in bytes of the longest word that can mean anything:
// the schema's limit of a DataClassification and an Environment.
const maxWord = 64

// Claim is a word that an action claims for itself.
type Claim struct {
	// Present says that the action claims anything at all.
	Present bool
	// Value is the word, folded by match.Fold; empty when it is not a string,
	// an empty or too long one, or claimed in several spellings of the key,
	// which all means that nothing can be believed.
	Value string
}

func (r *Request) readClaims() {
	r.Classification = claim(r.Parameters, KeyDataClassification)
	for _, from := range []map[string]any{r.Parameters, r.Context} {
		if c := claim(from, KeyEnvironment); c.Present {
			r.Environments = append(r.Environments, c)
		}
	}
}

func claim(from map[string]any, key string) Claim {
	value, present, ambiguous := Lookup(from, key)
	if !present && !ambiguous {
		return Claim{}
	}
	text, _ := value.(string)
	word := match.Fold(text)
	if ambiguous || len(word) > maxWord {
		return Claim{Present: true}
	}
	return Claim{Present: true, Value: word}
}

// Lookup returns the value of a key. Ambiguous says that there is also a key
// that differs from it only in case or in what is neither letter nor digit,
// such as affectedRows beside affected_rows: somebody may read that one.
func Lookup(object map[string]any, key string) (value any, present, ambiguous bool) {
	value, present = object[key]
	for other := range object {
		if other != key && sameWord(other, key) {
			return value, present, true
		}
	}
	return value, present, false
}

// sameWord says whether two keys have the same ASCII letters and digits in the
// same order, whatever their case and whatever is between them.
func sameWord(a, b string) bool {
	i, j := 0, 0
	for {
		i, j = skip(a, i), skip(b, j)
		if i == len(a) || j == len(b) {
			return i == len(a) && j == len(b)
		}
		if lower(a[i]) != lower(b[j]) {
			return false
		}
		i++
		j++
	}
}

// skip returns the index of the next ASCII letter or digit from i.
func skip(s string, i int) int {
	for i < len(s) && (lower(s[i]) < 'a' || lower(s[i]) > 'z') && (s[i] < '0' || s[i] > '9') {
		i++
	}
	return i
}

func lower(c byte) byte {
	if c >= 'A' && c <= 'Z' {
		return c + ('a' - 'A')
	}
	return c
}
