// SPDX-License-Identifier: Apache-2.0

package manifest

import (
	"context"
	"fmt"
	"slices"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	apimeta "k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
)

// pageSize is how many objects are asked of the API server at once.
const pageSize = 500

// FromCluster reads the policy that has effect in a namespace, or in all of
// them when it is empty: SmartRules, ApprovalWorkflows, Agents and
// WebhookSubscriptions there and in ascend-system, which applies everywhere,
// the RiskModels, and the Namespaces themselves. AgentActions are no policy and
// are not read. A namespace that does not exist is left out. Namespaces and
// WebhookSubscriptions that the user may not read are left out as well, and named
// in Unread: few need to see them. Everything else has to be readable.
//
// Errors say what was read, and wrap what the API server said.
func FromCluster(ctx context.Context, reader client.Reader, namespace string) (*Set, error) {
	c := &clusterReader{reader: reader, namespaces: []string{""}, set: &Set{}}
	if namespace != "" {
		c.namespaces = slices.Compact([]string{v1alpha1.GlobalNamespace, namespace})
	}
	err := firstError(
		func() error { return c.unless(KindNamespace, c.spaces(ctx)) },
		func() error { return c.list(ctx, KindRiskModel, &v1alpha1.RiskModelList{}, "") },
		func() error { return c.each(ctx, KindApprovalWorkflow, &v1alpha1.ApprovalWorkflowList{}) },
		func() error { return c.each(ctx, KindSmartRule, &v1alpha1.SmartRuleList{}) },
		func() error { return c.each(ctx, KindAgent, &v1alpha1.AgentList{}) },
		func() error {
			return c.unless(KindWebhookSubscription, c.each(ctx, KindWebhookSubscription, &v1alpha1.WebhookSubscriptionList{}))
		},
	)
	if err != nil {
		return nil, err
	}
	return c.set, nil
}

func firstError(steps ...func() error) error {
	for _, step := range steps {
		if err := step(); err != nil {
			return err
		}
	}
	return nil
}

type clusterReader struct {
	reader     client.Reader
	namespaces []string
	set        *Set
}

// unless notes the kind as unread where that is all the error says.
func (c *clusterReader) unless(kind string, err error) error {
	if !apierrors.IsForbidden(err) {
		return err
	}
	c.set.Unread = append(c.set.Unread, kind)
	return nil
}

// spaces reads the namespaces that are looked into.
func (c *clusterReader) spaces(ctx context.Context) error {
	if c.namespaces[0] == "" {
		all := &metav1.PartialObjectMetadataList{}
		all.SetGroupVersionKind(schema.GroupVersionKind{Version: "v1", Kind: KindNamespace + "List"})
		return c.list(ctx, KindNamespace, all, "")
	}
	for _, name := range c.namespaces {
		one := &metav1.PartialObjectMetadata{}
		one.SetGroupVersionKind(kindOf(KindNamespace))
		switch err := c.reader.Get(ctx, client.ObjectKey{Name: name}, one); {
		case apierrors.IsNotFound(err):
		case err != nil:
			return fmt.Errorf("read Namespace %s: %w", name, err)
		default:
			c.add(KindNamespace, one)
		}
	}
	return nil
}

// each lists a kind in every namespace that is looked into.
func (c *clusterReader) each(ctx context.Context, kind string, into client.ObjectList) error {
	for _, namespace := range c.namespaces {
		if err := c.list(ctx, kind, into, namespace); err != nil {
			return err
		}
	}
	return nil
}

// list reads page by page. When it takes so long that a continuation expires,
// it begins anew, without pages.
func (c *clusterReader) list(ctx context.Context, kind string, into client.ObjectList, namespace string) error {
	var found []client.Object
	limit, next := int64(pageSize), ""
	for {
		page, ok := into.DeepCopyObject().(client.ObjectList)
		if !ok {
			return fmt.Errorf("%T is no list", into)
		}
		err := c.reader.List(ctx, page, client.InNamespace(namespace), client.Limit(limit), client.Continue(next))
		switch {
		case apierrors.IsResourceExpired(err) && next != "":
			found, limit, next = nil, 0, ""
			continue
		case err != nil && namespace == "":
			return fmt.Errorf("list %ss: %w", kind, err)
		case err != nil:
			return fmt.Errorf("list %ss in namespace %s: %w", kind, namespace, err)
		}
		if err := apimeta.EachListItem(page, func(item runtime.Object) error {
			object, isObject := item.(client.Object)
			if !isObject {
				return fmt.Errorf("list %ss: %T is no object", kind, item)
			}
			found = append(found, object)
			return nil
		}); err != nil {
			return err
		}
		if next = page.GetContinue(); next == "" {
			break
		}
	}
	for _, object := range found {
		c.add(kind, object)
	}
	return nil
}

func (c *clusterReader) add(kind string, object client.Object) {
	object.GetObjectKind().SetGroupVersionKind(kindOf(kind))
	c.set.Objects = append(c.set.Objects, &Object{
		Document: &Document{Position: Position{File: FileCluster}}, Object: object, Valid: true,
	})
}
