// SPDX-License-Identifier: Apache-2.0

package manifest_test

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	apimeta "k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
	"github.com/ow-kai/ascend-operator/internal/manifest"
)

// pages gives lists out in pages, which the fake client cannot, and lets the
// continuation of a kind expire where it is told to.
type pages struct {
	client.Reader
	expire string // list kind
	lists  int
}

func (p *pages) List(ctx context.Context, list client.ObjectList, options ...client.ListOption) error {
	var asked client.ListOptions
	asked.ApplyOptions(options)
	p.lists++
	if asked.Limit != 0 && asked.Limit != 500 {
		return fmt.Errorf("a page of %d was asked for", asked.Limit)
	}
	if asked.Continue != "" && p.expire != "" && strings.Contains(fmt.Sprintf("%T", list), p.expire) {
		return apierrors.NewResourceExpired("too old")
	}
	if err := p.Reader.List(ctx, list, client.InNamespace(asked.Namespace)); err != nil || asked.Limit == 0 {
		return err
	}
	items, err := apimeta.ExtractList(list)
	if err != nil {
		return err
	}
	from := 0
	if asked.Continue != "" {
		if _, err := fmt.Sscan(asked.Continue, &from); err != nil {
			return err
		}
	}
	to := min(from+int(asked.Limit), len(items))
	if to < len(items) {
		list.SetContinue(strconv.Itoa(to))
	}
	return apimeta.SetList(list, items[from:to])
}

func newCluster(t *testing.T) *pages {
	t.Helper()
	scheme := runtime.NewScheme()
	if err := errors.Join(clientgoscheme.AddToScheme(scheme), v1alpha1.AddToScheme(scheme)); err != nil {
		t.Fatal(err)
	}
	in := func(namespace, name string) metav1.ObjectMeta {
		return metav1.ObjectMeta{Namespace: namespace, Name: name, Generation: 3}
	}
	builder := fake.NewClientBuilder().WithScheme(scheme).WithObjects(
		&corev1.Namespace{ObjectMeta: in("", "team")}, &corev1.Namespace{ObjectMeta: in("", "other")}, &corev1.Namespace{ObjectMeta: in("", "ascend-system")},
		&v1alpha1.RiskModel{ObjectMeta: in("", "default")},
		&v1alpha1.Agent{ObjectMeta: in("team", "a")}, &v1alpha1.Agent{ObjectMeta: in("other", "b")},
		&v1alpha1.ApprovalWorkflow{ObjectMeta: in("ascend-system", "w")}, &v1alpha1.WebhookSubscription{ObjectMeta: in("team", "s")},
		&v1alpha1.AgentAction{ObjectMeta: in("team", "act-1")},
	)
	for i := range 1201 {
		builder.WithObjects(&v1alpha1.SmartRule{ObjectMeta: in("team", fmt.Sprintf("r-%04d", i))})
	}
	return &pages{Reader: builder.Build()}
}

func TestFromCluster(t *testing.T) {
	for _, c := range []struct {
		namespace, expire string
		objects, lists    int
	}{
		{"", "", 3 + 1 + 2 + 1 + 1 + 1201, 6 + 2},
		{"", "SmartRule", 3 + 1 + 2 + 1 + 1 + 1201, 6 + 2}, // all anew, without pages
		{"team", "", 2 + 1 + 1 + 1 + 1 + 1201, 9 + 2},
		{"other", "", 2 + 1 + 1 + 1, 9},
		{"ascend-system", "", 1 + 1 + 1, 5},
		{"nowhere", "", 1 + 1 + 1, 9},
	} {
		t.Run(c.namespace+c.expire, func(t *testing.T) {
			cluster := newCluster(t)
			cluster.expire = c.expire
			set, err := manifest.FromCluster(t.Context(), cluster, c.namespace)
			if err != nil {
				t.Fatal(err)
			}
			if len(set.Objects) != c.objects || cluster.lists != c.lists {
				t.Errorf("got %d objects by %d lists, want %d by %d", len(set.Objects), cluster.lists, c.objects, c.lists)
			}
			if len(set.Actions()) != 0 {
				t.Error("actions were read")
			}
			for _, o := range set.Objects {
				if at := o.At("spec.effect"); at.String() != "cluster" || !o.Valid || o.Kind() == "" {
					t.Fatalf("%s is at %s, valid %t", o.Key(), at, o.Valid)
				}
			}
			if _, err := set.Store(); err != nil {
				t.Fatal(err)
			}
		})
	}
}

// Errors say what was read and can be told apart.
func TestFromClusterFails(t *testing.T) {
	refused := refusing{newCluster(t)}
	_, err := manifest.FromCluster(t.Context(), refused, "team")
	if !apierrors.IsForbidden(err) || !strings.Contains(err.Error(), "list SmartRules in namespace ascend-system: ") {
		t.Errorf("got %v", err)
	}
}

// Who may read neither namespaces nor subscriptions reads the rest, and is told.
func TestFromClusterUnread(t *testing.T) {
	for _, namespace := range []string{"", "team"} {
		set, err := manifest.FromCluster(t.Context(), rulesOnly{newCluster(t)}, namespace)
		if err != nil {
			t.Fatal(err)
		}
		if got := fmt.Sprint(set.Unread); got != "[Namespace WebhookSubscription]" || len(set.Rules()) != 1201 {
			t.Errorf("in %q unread are %s, and there are %d rules", namespace, got, len(set.Rules()))
		}
	}
}

// rulesOnly refuses what decides nothing.
type rulesOnly struct{ client.Reader }

func (r rulesOnly) Get(_ context.Context, key client.ObjectKey, _ client.Object, _ ...client.GetOption) error {
	return apierrors.NewForbidden(corev1.Resource("namespaces"), key.Name, errors.New("no"))
}

func (r rulesOnly) List(ctx context.Context, list client.ObjectList, options ...client.ListOption) error {
	switch list.(type) {
	case *metav1.PartialObjectMetadataList, *v1alpha1.WebhookSubscriptionList:
		return apierrors.NewForbidden(corev1.Resource("things"), "", errors.New("no"))
	default:
		return r.Reader.List(ctx, list, options...)
	}
}

// refusing refuses SmartRules.
type refusing struct{ client.Reader }

func (r refusing) List(ctx context.Context, list client.ObjectList, options ...client.ListOption) error {
	if _, ok := list.(*v1alpha1.SmartRuleList); ok {
		return apierrors.NewForbidden(v1alpha1.GroupVersion.WithResource("smartrules").GroupResource(), "", errors.New("no"))
	}
	return r.Reader.List(ctx, list, options...)
}
