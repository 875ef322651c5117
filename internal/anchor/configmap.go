// SPDX-License-Identifier: Apache-2.0

package anchor

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
	"github.com/ow-kai/ascend-operator/internal/audit"
)

const (
	// ConfigMapName is the ConfigMap in ascend-system that has the anchors.
	ConfigMapName = "ascend-audit-anchors"
	// KeyPrefix is followed by the id of a key; the value is its public half, PKIX
	// in PEM.
	KeyPrefix = "key."
	// ChainPrefix is followed by a chain; the value is its last checkpoint, in JSON.
	ChainPrefix = "chain."
	// MaxChains are kept, the newest.
	MaxChains = 256
)

// The ConfigMap cannot be named in a create.
//
// +kubebuilder:rbac:groups="",namespace=ascend-system,resources=configmaps,verbs=create
// +kubebuilder:rbac:groups="",namespace=ascend-system,resources=configmaps,resourceNames=ascend-audit-anchors,verbs=get;patch

// write puts a checkpoint into the ConfigMap. The first time it also takes out
// the oldest chains beyond MaxChains.
func (a *Anchorer) write(ctx context.Context, c *audit.Checkpoint) error {
	text, err := json.Marshal(c)
	if err != nil {
		return fmt.Errorf("write a checkpoint as JSON: %w", err)
	}
	data := map[string]any{}
	if !a.pruned {
		old, err := a.tooOld(ctx, ChainPrefix+c.Chain)
		if err != nil {
			return err
		}
		for _, name := range old {
			data[name] = nil
		}
	}
	data[ChainPrefix+c.Chain] = string(text)
	if err := a.patch(ctx, data); err != nil {
		return err
	}
	a.pruned = true
	return nil
}

// patch changes these entries alone, so that replicas do not meet, and sees to it
// that the public key is there.
func (a *Anchorer) patch(ctx context.Context, data map[string]any) error {
	data[KeyPrefix+a.keyID()] = formatPublic(a.key)
	body, err := json.Marshal(map[string]any{"data": data})
	if err != nil {
		return err
	}
	for range attempts {
		err = a.Writer.Patch(ctx, anchors(), client.RawPatch(types.MergePatchType, body))
		if !apierrors.IsNotFound(err) {
			break
		}
		err = a.Writer.Create(ctx, anchors())
		if err != nil && !apierrors.IsAlreadyExists(err) {
			break
		}
	}
	if err != nil {
		return fmt.Errorf("write ConfigMap %s: %w", ConfigMapName, err)
	}
	return nil
}

func anchors() *corev1.ConfigMap {
	return &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: v1alpha1.GlobalNamespace, Name: ConfigMapName}}
}

// tooOld returns the entries of chains that are too many besides this one.
func (a *Anchorer) tooOld(ctx context.Context, but string) ([]string, error) {
	there := anchors()
	if err := a.Live.Get(ctx, client.ObjectKeyFromObject(there), there); err != nil {
		return nil, fmt.Errorf("read ConfigMap %s: %w", ConfigMapName, err)
	}
	signed := map[string]int64{} // when, 0 where that cannot be read
	for name, text := range there.Data {
		if name == but || !strings.HasPrefix(name, ChainPrefix) {
			continue
		}
		var c audit.Checkpoint
		if json.Unmarshal([]byte(text), &c) == nil && !c.Time.IsZero() {
			signed[name] = c.Time.UnixNano()
		} else {
			signed[name] = 0
		}
	}
	names := slices.SortedFunc(maps.Keys(signed), func(x, y string) int {
		return cmp.Or(cmp.Compare(signed[x], signed[y]), cmp.Compare(x, y))
	})
	return names[:max(0, len(names)+1-MaxChains)], nil
}
