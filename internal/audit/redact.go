// SPDX-License-Identifier: Apache-2.0

package audit

import (
	"bytes"
	"encoding/json"
	"strings"
)

// Redacted stands in a record where an action had a secret.
const Redacted = "[redacted]"

// secretWords are what the names of secrets have in them, in lower case and
// without what separates words. A name that has one of them holds a secret, as
// far as it holds text: max_tokens: 4096 stays.
var secretWords = []string{
	"password", "passwd", "passphrase", "secret", "token", "apikey", "accesskey", "privatekey", "credential", "authorization", "cookie",
}

// redact replaces the texts that stand under the name of a secret, at any depth,
// and the value of what has such a name beside it.
// JSON that has none is returned as it is. What cannot be decoded is replaced as
// a whole: nobody knows what is in it.
func redact(raw json.RawMessage) json.RawMessage {
	if !mayHaveSecret(raw) {
		return raw
	}
	return redactBy(raw, isSecretName)
}

// redactBy is redact for names that a function knows.
func redactBy(raw json.RawMessage, isSecret func(name string) bool) json.RawMessage {
	decoder := json.NewDecoder(bytes.NewReader(raw))
	decoder.UseNumber()
	var value any
	if err := decoder.Decode(&value); err != nil {
		return json.RawMessage(`"` + Redacted + `"`)
	}
	clean, found := withoutSecrets(value, false, isSecret)
	if !found {
		return raw
	}
	out, err := json.Marshal(clean)
	if err != nil { // it was JSON before
		return json.RawMessage(`"` + Redacted + `"`)
	}
	return out
}

// mayHaveSecret says whether JSON has to be decoded to find out: a word of the
// list is in it, or an escape behind which one could be.
func mayHaveSecret(raw []byte) bool {
	if bytes.IndexByte(raw, '\\') >= 0 {
		return true
	}
	squeezed := squeeze(raw)
	for _, word := range secretWords {
		if bytes.Contains(squeezed, []byte(word)) {
			return true
		}
	}
	return false
}

// squeeze is text in lower case without what separates words.
func squeeze(text []byte) []byte {
	out := make([]byte, 0, len(text))
	for _, b := range text {
		switch {
		case b == '_' || b == '-' || b == '.' || b == ' ':
		case 'A' <= b && b <= 'Z':
			out = append(out, b+'a'-'A')
		default:
			out = append(out, b)
		}
	}
	return out
}

// withoutSecrets replaces texts in a value that is, or may hold, a secret.
func withoutSecrets(value any, secret bool, isSecret func(string) bool) (clean any, found bool) {
	switch v := value.(type) {
	case string:
		if secret && v != "" {
			return Redacted, true
		}
	case map[string]any:
		pair := namesSecret(v, isSecret)
		for name, inner := range v {
			replaced, has := withoutSecrets(inner, secret || isSecret(name) || pair && isPart(name, "value"), isSecret)
			v[name], found = replaced, found || has
		}
	case []any:
		for i, inner := range v {
			replaced, has := withoutSecrets(inner, secret, isSecret)
			v[i], found = replaced, found || has
		}
	}
	return value, found
}

// namesSecret says whether an object has the name of a secret as a text, as
// variables of a container and headers of a request have: its value is one then.
func namesSecret(object map[string]any, isSecret func(string) bool) bool {
	for part, inner := range object {
		if name, is := inner.(string); is && (isPart(part, "name") || isPart(part, "key")) && isSecret(name) {
			return true
		}
	}
	return false
}

func isPart(name, part string) bool { return strings.EqualFold(name, part) }

// SecretName says whether a text under that name is a secret and has to be
// Redacted where it is told.
func SecretName(name string) bool { return isSecretName(name) }

func isSecretName(name string) bool {
	squeezed := string(squeeze([]byte(name)))
	for _, word := range secretWords {
		if strings.Contains(squeezed, word) {
			return true
		}
	}
	return false
}
