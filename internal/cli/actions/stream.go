// SPDX-License-Identifier: Apache-2.0

package actions

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/yaml"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
)

const listKind = "AgentActionList"

// listStream writes an AgentActionList item by item, the same as kubectl's
// printers write it at once. Begin comes first, end last.
type listStream interface {
	begin() error
	item(action *v1alpha1.AgentAction) error
	end() error
}

// newListStream returns the stream of a format; false where that format cannot
// be written piece by piece.
func newListStream(format string, out io.Writer) (listStream, bool) {
	buffered := bufio.NewWriter(out)
	switch strings.ToLower(format) {
	case "json":
		return &jsonStream{out: buffered}, true
	case "yaml":
		return &yamlStream{out: buffered}, true
	default:
		return nil, false
	}
}

// printable is an action as it is printed: with its kind, and without
// managedFields unless they are wanted.
func printable(action *v1alpha1.AgentAction, managedFields bool) *v1alpha1.AgentAction {
	action.TypeMeta = metav1.TypeMeta{APIVersion: v1alpha1.GroupVersion.String(), Kind: "AgentAction"}
	if !managedFields {
		action.ManagedFields = nil
	}
	return action
}

type jsonStream struct {
	out   *bufio.Writer
	items int
}

func (j *jsonStream) begin() error {
	_, err := fmt.Fprintf(j.out, "{\n    \"kind\": %q,\n    \"apiVersion\": %q,\n    \"items\": [", listKind, v1alpha1.GroupVersion)
	return err
}

func (j *jsonStream) item(action *v1alpha1.AgentAction) error {
	const indent = "        "
	data, err := json.MarshalIndent(action, indent, "    ")
	if err != nil {
		return err
	}
	j.items++
	if j.items > 1 {
		data = append([]byte(",\n"+indent), data...)
	} else {
		data = append([]byte("\n"+indent), data...)
	}
	_, err = j.out.Write(data)
	return err
}

func (j *jsonStream) end() error {
	closing := "]\n}\n"
	if j.items > 0 {
		closing = "\n    ]\n}\n"
	}
	if _, err := j.out.WriteString(closing); err != nil {
		return err
	}
	return j.out.Flush()
}

type yamlStream struct {
	out   *bufio.Writer
	items int
}

func (y *yamlStream) begin() error {
	_, err := fmt.Fprintf(y.out, "apiVersion: %s\nitems:", v1alpha1.GroupVersion)
	return err
}

func (y *yamlStream) item(action *v1alpha1.AgentAction) error {
	data, err := yaml.Marshal(action)
	if err != nil {
		return err
	}
	mark := "\n- "
	for line := range strings.Lines(string(data)) {
		line = strings.TrimSuffix(line, "\n")
		if line == "" {
			mark = "\n" // of a text with several lines; without spaces at its end
		}
		y.out.WriteString(mark) //nolint:errcheck // a bufio.Writer keeps its error until Flush
		y.out.WriteString(line) //nolint:errcheck // as above
		mark = "\n  "
	}
	y.items++
	return nil
}

func (y *yamlStream) end() error {
	if y.items == 0 {
		y.out.WriteString(" []") //nolint:errcheck // as above
	}
	if _, err := fmt.Fprintf(y.out, "\nkind: %s\n", listKind); err != nil {
		return err
	}
	return y.out.Flush()
}
