// SPDX-License-Identifier: Apache-2.0

package session

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
	"github.com/ow-kai/ascend-operator/internal/terminal"
)

// Kind is a kind of object as commands speak of it.
type Kind struct {
	schema.GroupVersionKind
	// Noun with which people call it.
	Noun string
	// List is the command that lists all of them.
	List string
}

// The kinds that commands are given the names of.
var (
	ActionKind = Kind{v1alpha1.GroupVersion.WithKind("AgentAction"), "action", "ascend actions list -A"}
	AgentKind  = Kind{v1alpha1.GroupVersion.WithKind("Agent"), "agent", "ascend agents list -A"}
	RuleKind   = Kind{v1alpha1.GroupVersion.WithKind("SmartRule"), "rule", "kubectl get smartrules -A"}
)

// Read reads an object of a namespace by its name. One that is not there is
// refused with where it was looked for, and with where it is if the user may
// see that.
func (s *Session) Read(ctx context.Context, cl client.Reader, kind Kind, key client.ObjectKey, into client.Object) error {
	err := cl.Get(ctx, key, into)
	if apierrors.IsNotFound(err) && !IsKindMissing(err) {
		return s.Missing(ctx, cl, kind, key)
	}
	return s.Failed(err, fmt.Sprintf("read %s %s in namespace %s", kind.Noun, terminal.Safe(key.Name), terminal.Safe(key.Namespace)))
}

// missingError is an object that is not where it was looked for.
type missingError struct{ text string }

func (e *missingError) Error() string { return e.text }

// Missing is the error for an object that is not there. It looks for one of
// that name elsewhere.
func (s *Session) Missing(ctx context.Context, cl client.Reader, kind Kind, key client.ObjectKey) error {
	text := fmt.Sprintf("there is no %s %s in namespace %s\n", kind.Noun, terminal.Safe(key.Name), terminal.Safe(key.Namespace))
	switch found := s.elsewhere(ctx, cl, kind, key); len(found) {
	case 0:
		text += "Another namespace is chosen with -n; " + kind.List + " shows all"
	case 1:
		text += fmt.Sprintf("There is one in namespace %s: add -n %[1]s", found[0])
	default:
		text += fmt.Sprintf("There are some in other namespaces, choose one with -n: %s", strings.Join(found, ", "))
	}
	return &missingError{text}
}

// mostElsewhere bounds how many namespaces are named.
const mostElsewhere = 10

// elsewhere names the other namespaces that have an object of that name, safe
// for the terminal, as far as the user may see them: by one list of all
// namespaces, or where that is not allowed by a look into those that the
// kubeconfig names.
func (s *Session) elsewhere(ctx context.Context, cl client.Reader, kind Kind, key client.ObjectKey) []string {
	list := &metav1.PartialObjectMetadataList{}
	list.SetGroupVersionKind(kind.GroupVersion().WithKind(kind.Kind + "List"))
	err := cl.List(ctx, list, client.MatchingFieldsSelector{Selector: fields.OneTermEqualSelector(metav1.ObjectNameField, key.Name)}, client.Limit(mostElsewhere))
	if err != nil {
		return s.inKnownNamespaces(ctx, cl, kind, key)
	}
	var found []string
	for i := range list.Items {
		if item := &list.Items[i]; item.Name == key.Name && item.Namespace != key.Namespace {
			found = append(found, terminal.Safe(item.Namespace))
		}
	}
	slices.Sort(found)
	return found
}

// inKnownNamespaces looks into the namespaces of the kubeconfig's contexts, and
// default; into few, for it was only meant to help.
func (s *Session) inKnownNamespaces(ctx context.Context, cl client.Reader, kind Kind, key client.ObjectKey) []string {
	known := map[string]bool{metav1.NamespaceDefault: true}
	if config, err := s.Flags.ToRawKubeConfigLoader().RawConfig(); err == nil {
		for _, named := range config.Contexts {
			known[named.Namespace] = named.Namespace != ""
		}
	}
	var found []string
	looked := 0
	for _, namespace := range slices.Sorted(maps.Keys(known)) {
		if !known[namespace] || namespace == key.Namespace || looked == mostElsewhere {
			continue
		}
		looked++
		one := &metav1.PartialObjectMetadata{}
		one.SetGroupVersionKind(kind.GroupVersionKind)
		if cl.Get(ctx, client.ObjectKey{Namespace: namespace, Name: key.Name}, one) == nil {
			found = append(found, terminal.Safe(namespace))
		}
	}
	return found
}
