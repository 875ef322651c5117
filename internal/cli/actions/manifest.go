// SPDX-License-Identifier: Apache-2.0

package actions

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	utilyaml "k8s.io/apimachinery/pkg/util/yaml"
	kjson "sigs.k8s.io/json"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
	"github.com/ow-kai/ascend-operator/internal/terminal"
)

// readAction reads a file with one AgentAction, or with its spec alone. What is
// unknown in it is refused.
func readAction(in io.Reader, path string) (*v1alpha1.AgentAction, error) {
	data, err := readInput(in, path)
	if err != nil {
		return nil, err
	}
	if data, err = onlyDocument(data); err == nil {
		data, err = toJSON(data)
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %s", inputName(path), terminal.Safe(err.Error()))
	}
	action, err := decodeAction(data)
	if err != nil {
		return nil, fmt.Errorf("%s: %s\nWhat an action can say is listed by: kubectl explain agentaction.spec", inputName(path), terminal.Safe(err.Error()))
	}
	return action, nil
}

// onlyDocument is the one document of a file, as there may be several in YAML.
func onlyDocument(data []byte) ([]byte, error) {
	if json.Valid(data) {
		return data, nil
	}
	reader, only := utilyaml.NewYAMLReader(bufio.NewReader(bytes.NewReader(data))), []byte(nil)
	for {
		document, err := reader.Read()
		switch {
		case errors.Is(err, io.EOF) && only == nil:
			return nil, errors.New("it is empty")
		case errors.Is(err, io.EOF):
			return only, nil
		case err != nil:
			return nil, err
		case len(bytes.TrimSpace(document)) == 0:
		case only != nil:
			return nil, errors.New("it has several documents; submit one action at a time")
		default:
			only = document
		}
	}
}

func decodeAction(data []byte) (*v1alpha1.AgentAction, error) {
	kind := metav1.TypeMeta{}
	if err := json.Unmarshal(data, &kind); err != nil {
		return nil, errors.New("it has to be an AgentAction, or its spec")
	}
	action := &v1alpha1.AgentAction{}
	switch {
	case kind == (metav1.TypeMeta{}):
		return action, decodeStrict(data, &action.Spec)
	case kind.Kind != "AgentAction" || kind.APIVersion != v1alpha1.GroupVersion.String():
		return nil, fmt.Errorf("it is of kind %q, apiVersion %q; take kind AgentAction, apiVersion %s, or the spec alone", kind.Kind, kind.APIVersion, v1alpha1.GroupVersion)
	}
	if err := decodeStrict(data, action); err != nil {
		return nil, err
	}
	action.Status = v1alpha1.AgentActionStatus{} // the operator's
	action.ResourceVersion, action.UID = "", ""
	return action, nil
}

func decodeStrict(data []byte, into any) error {
	strict, err := kjson.UnmarshalStrict(data, into)
	if err != nil {
		return err
	}
	return errors.Join(strict...)
}
