// SPDX-License-Identifier: Apache-2.0

package audit

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/ow-kai/ascend-operator/internal/match"
)

// KeyPatterns are names of secrets beside those that are known anyway. Case does
// not count, nor what separates words: `card*number` is card_number, cardNumber
// and CARD-HOLDER.NUMBER.
type KeyPatterns []match.Glob

// maxKeyPatterns bounds what each name in a record is compared with.
const maxKeyPatterns = 64

// ParseKeyPatterns reads patterns that are separated by commas, with `*` for any
// run of characters and `?` for one. None are an empty text.
func ParseKeyPatterns(text string) (KeyPatterns, error) {
	if strings.TrimSpace(text) == "" {
		return nil, nil
	}
	var patterns KeyPatterns
	for part := range strings.SplitSeq(text, ",") {
		squeezed := string(squeeze([]byte(strings.TrimSpace(part))))
		if strings.Trim(squeezed, "*?") == "" {
			return nil, fmt.Errorf("%q is no pattern of a name; write some of its letters, such as *pin or card*number, and separate patterns by commas", part)
		}
		patterns = append(patterns, match.NewGlob(squeezed))
	}
	if len(patterns) > maxKeyPatterns {
		return nil, fmt.Errorf("%d patterns are more than %d; use * to write fewer", len(patterns), maxKeyPatterns)
	}
	return patterns, nil
}

// Match says whether a name is that of a secret.
func (p KeyPatterns) Match(name string) bool {
	folded := match.Fold(string(squeeze([]byte(name))))
	return slices.ContainsFunc(p, func(pattern match.Glob) bool { return pattern.Match(folded) })
}

// Redacting keeps records without the texts that stand under names that the
// patterns match: in parameters, context and annotations of a Request, and in
// Changes. Without patterns it is the recorder itself.
func Redacting(to Recorder, patterns KeyPatterns) Recorder {
	if len(patterns) == 0 {
		return to
	}
	return redacting{to, patterns}
}

type redacting struct {
	to       Recorder
	patterns KeyPatterns
}

// Append implements Recorder.
func (r redacting) Append(ctx context.Context, records ...Record) error {
	clean := slices.Clone(records)
	for i := range clean {
		clean[i].Request = r.request(clean[i].Request)
		clean[i].Changes = r.changes(clean[i].Changes)
	}
	return r.to.Append(ctx, clean...)
}

// request shares with the one it is given what it does not change.
func (r redacting) request(request *Request) *Request {
	if request == nil {
		return nil
	}
	clean := *request
	clean.Parameters, clean.Context = r.json(request.Parameters), r.json(request.Context)
	clean.Annotations = r.annotations(request.Annotations)
	if request.Agent != nil {
		agent := *request.Agent
		agent.Annotations = r.annotations(agent.Annotations)
		clean.Agent = &agent
	}
	if request.Namespace != nil {
		namespace := *request.Namespace
		namespace.Annotations = r.annotations(namespace.Annotations)
		clean.Namespace = &namespace
	}
	return &clean
}

func (r redacting) json(raw json.RawMessage) json.RawMessage {
	if len(raw) == 0 {
		return raw
	}
	return redactBy(raw, r.patterns.Match)
}

// annotations are a copy where there is something to hide.
func (r redacting) annotations(annotations map[string]string) map[string]string {
	clean, copied := annotations, false
	for name, value := range annotations {
		if value == "" || !r.patterns.Match(name) {
			continue
		}
		if !copied {
			clean, copied = maps.Clone(annotations), true
		}
		clean[name] = Redacted
	}
	return clean
}

func (r redacting) changes(changes []Change) []Change {
	clean := slices.Clone(changes)
	for i := range clean {
		c := &clean[i]
		secret := slices.ContainsFunc(namesIn(c.Field), r.patterns.Match)
		for _, text := range []*string{&c.Before, &c.After} {
			switch {
			case *text == "":
			case secret:
				*text = Redacted
			default:
				*text = string(r.json(json.RawMessage(*text)))
			}
		}
	}
	return clean
}

// namesIn are the names in the path of a field. One that is no plain word is
// quoted in it, with all that stands between names elsewhere.
func namesIn(path string) []string {
	var names []string
	for path != "" {
		if quoted, err := strconv.QuotedPrefix(path); err == nil {
			if name, err := strconv.Unquote(quoted); err == nil {
				names = append(names, name)
			}
			path = path[len(quoted):]
			continue
		}
		end := strings.IndexAny(path, `.[]"`)
		switch end {
		case -1:
			return append(names, path)
		case 0:
		default:
			names = append(names, path[:end])
		}
		path = path[end+1:]
	}
	return names
}
