// SPDX-License-Identifier: Apache-2.0

package session

import (
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/cli-runtime/pkg/genericiooptions"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
)

// Who may not list all namespaces is told of what is in those that the
// kubeconfig names, as far as they may see it.
func TestElsewhereWithoutList(t *testing.T) {
	path := filepath.Join(t.TempDir(), "kubeconfig")
	config := `{apiVersion: v1, kind: Config, current-context: a, contexts: [
		{name: a, context: {namespace: here}}, {name: b, context: {namespace: team}}, {name: c, context: {namespace: closed}}]}`
	if err := os.WriteFile(path, []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("KUBECONFIG", path)
	kinds, err := NewScheme()
	if err != nil {
		t.Fatal(err)
	}
	in := func(namespace string) *v1alpha1.AgentAction {
		return &v1alpha1.AgentAction{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: "act-1"}}
	}
	no := apierrors.NewForbidden(corev1.Resource("agentactions"), "", errors.New("no"))
	cl := fake.NewClientBuilder().WithScheme(kinds).WithObjects(in("team"), in("closed"), in("unknown")).WithInterceptorFuncs(interceptor.Funcs{
		List: func(context.Context, client.WithWatch, client.ObjectList, ...client.ListOption) error { return no },
		Get: func(ctx context.Context, cl client.WithWatch, key client.ObjectKey, into client.Object, options ...client.GetOption) error {
			if key.Namespace == "closed" {
				return no
			}
			return cl.Get(ctx, key, into, options...)
		},
	}).Build()
	s := New(genericiooptions.IOStreams{In: strings.NewReader(""), Out: io.Discard, ErrOut: io.Discard})
	err = s.Read(t.Context(), cl, ActionKind, client.ObjectKey{Namespace: "here", Name: "act-1"}, &v1alpha1.AgentAction{})
	if want := "there is no action act-1 in namespace here\nThere is one in namespace team: add -n team"; err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}
