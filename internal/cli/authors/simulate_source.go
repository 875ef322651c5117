// SPDX-License-Identifier: Apache-2.0

package authors

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ow-kai/ascend-operator/internal/cli/actions"
	"github.com/ow-kai/ascend-operator/internal/manifest"
	"github.com/ow-kai/ascend-operator/internal/simulate"
	"github.com/ow-kai/ascend-operator/internal/terminal"
)

// tellParts says on stderr of what the policy consists, for a policy of which a
// part was overlooked says little.
func (o *simulation) tellParts(paths []string, files, all *manifest.Set) {
	fromFiles, others := count(files), count(all)
	for kind, n := range fromFiles {
		others[kind] -= n
	}
	text := strings.Join(paths, ", ") + ": " + fromFiles.String()
	if rest := others.String(); rest != "" {
		text += "; from the cluster: " + rest
	}
	fmt.Fprintln(o.session.ErrOut, terminal.Safe(text))
}

// past is the past actions that were asked for.
func (o *simulation) past(ctx context.Context) (simulate.Source, error) {
	var source simulate.Source
	if o.from == fromAuditLog {
		source = simulate.FromFiles(o.logs, o.session.In)
	} else {
		cl, namespace, err := o.session.Connect()
		if err != nil {
			return nil, err
		}
		var options []client.ListOption
		if !o.allNamespaces {
			options = append(options, client.InNamespace(namespace))
		}
		if o.agent != "" {
			options = append(options, client.MatchingFields{actions.FieldAgentName: o.agent})
		}
		source = simulate.FromCluster(ctx, cl, options...)
	}
	return o.chosen(source), nil
}

// chosen leaves out what is of another agent, or of another namespace than that
// of -n: an audit log has those of all.
func (o *simulation) chosen(source simulate.Source) simulate.Source {
	only := ""
	if given := o.session.Flags.Namespace; given != nil && !o.allNamespaces {
		only = *given
	}
	return func(yield func(simulate.Past, error) bool) {
		for past, err := range source {
			if err == nil && past.UID != "" && (o.agent != "" && past.Agent != o.agent || only != "" && past.Namespace != only) {
				continue
			}
			if !yield(past, err) {
				return
			}
		}
	}
}

// begin is when the first action was submitted that counts; zero for all.
func (o *simulation) begin() time.Time {
	if o.since == 0 {
		return time.Time{}
	}
	return o.session.Clock.Now().Add(-o.since)
}

// tally counts objects by kind.
type tally map[string]int

func count(set *manifest.Set) tally {
	of := tally{}
	for _, object := range set.Objects {
		of[object.Kind()]++
	}
	return of
}

// String is "2 ApprovalWorkflows, 12 SmartRules".
func (t tally) String() string {
	var words []string
	for _, kind := range slices.Sorted(maps.Keys(t)) {
		if n := t[kind]; n > 0 {
			words = append(words, terminal.Count(n, kind))
		}
	}
	return strings.Join(words, ", ")
}
