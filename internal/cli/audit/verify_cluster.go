// SPDX-License-Identifier: Apache-2.0

package audit

import (
	"context"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
	"github.com/ow-kai/ascend-operator/internal/cli/actions"
	"github.com/ow-kai/ascend-operator/internal/terminal"
	"github.com/ow-kai/ascend-operator/internal/trail"
)

// anchorsName is the ConfigMap with the anchors.
const anchorsName = "ascend-audit-anchors"

// askCluster takes anchors and keys, and the decided actions.
func (o *verify) askCluster(ctx context.Context) (*trail.Comparison, error) {
	cl, err := o.session.Client()
	if err != nil {
		return nil, err
	}
	if err := o.clusterAnchors(ctx, cl); err != nil {
		return nil, err
	}
	var options []client.ListOption
	if namespace := namespaceOf(o.session); namespace != "" {
		options = append(options, client.InNamespace(namespace))
	}
	decided := trail.NewComparison()
	add := func(page []v1alpha1.AgentAction) error {
		for i := range page {
			action, status := &page[i], &page[i].Status
			if status.Decision.IsFinal() {
				decided.Add(trail.Decided{
					Namespace: action.Namespace, Name: action.Name, UID: string(action.UID),
					Decision: string(status.Decision), Reason: status.Reason, SpecDigest: status.SpecDigest, PolicyRevision: status.PolicyRevision,
				})
			}
		}
		return nil
	}
	err = actions.EachPage(ctx, cl, options, add, func() {}) // one that is listed again is compared once
	return decided, o.session.Failed(err, "list the decided actions")
}

func (o *verify) clusterAnchors(ctx context.Context, cl client.Reader) error {
	doing := fmt.Sprintf("read the anchors, ConfigMap %s in namespace %s", anchorsName, v1alpha1.GlobalNamespace)
	configMap := &corev1.ConfigMap{}
	err := cl.Get(ctx, types.NamespacedName{Namespace: v1alpha1.GlobalNamespace, Name: anchorsName}, configMap)
	switch {
	case apierrors.IsNotFound(err):
		return fmt.Errorf("cannot %s: it is not there\nThe operator makes it with its first anchor. If it was there before, somebody has deleted it: give a copy with --anchors instead of --against-cluster", doing)
	case err != nil:
		return o.session.Failed(err, doing)
	}
	anchors, err := trail.AnchorsOf(configMap.Data)
	if err != nil {
		return fmt.Errorf("cannot %s: %s\nSomebody other than the operator has written it: give a copy with --anchors instead of --against-cluster", doing, terminal.Safe(err.Error()))
	}
	o.add(anchors)
	return nil
}
