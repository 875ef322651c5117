// SPDX-License-Identifier: Apache-2.0

package certs

import (
	"bytes"
	"context"
	"crypto/sha256"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	admissionregistrationv1 "k8s.io/api/admissionregistration/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// The webhook configurations whose caBundle is kept, as config/default installs
// them.
const (
	MutatingConfiguration   = "ascend-mutating-webhook-configuration"
	ValidatingConfiguration = "ascend-validating-webhook-configuration"
)

// configuration is a webhook configuration as it was found.
type configuration struct {
	object  client.Object
	bundles [][]byte // the caBundle of each webhook, in their order
}

// configurations reads both webhook configurations. One that is not there is
// left out.
func configurations(ctx context.Context, live client.Reader) ([]configuration, error) {
	var found []configuration
	var errs []error
	mutating := &admissionregistrationv1.MutatingWebhookConfiguration{}
	switch err := live.Get(ctx, client.ObjectKey{Name: MutatingConfiguration}, mutating); {
	case err == nil:
		c := configuration{object: mutating}
		for i := range mutating.Webhooks {
			c.bundles = append(c.bundles, mutating.Webhooks[i].ClientConfig.CABundle)
		}
		found = append(found, c)
	case client.IgnoreNotFound(err) != nil:
		errs = append(errs, fmt.Errorf("read MutatingWebhookConfiguration %s: %w", MutatingConfiguration, err))
	}
	validating := &admissionregistrationv1.ValidatingWebhookConfiguration{}
	switch err := live.Get(ctx, client.ObjectKey{Name: ValidatingConfiguration}, validating); {
	case err == nil:
		c := configuration{object: validating}
		for i := range validating.Webhooks {
			c.bundles = append(c.bundles, validating.Webhooks[i].ClientConfig.CABundle)
		}
		found = append(found, c)
	case client.IgnoreNotFound(err) != nil:
		errs = append(errs, fmt.Errorf("read ValidatingWebhookConfiguration %s: %w", ValidatingConfiguration, err))
	}
	return found, errors.Join(errs...)
}

// operation is one of a JSON patch, RFC 6902.
type operation struct {
	Op    string `json:"op"`
	Path  string `json:"path"`
	Value any    `json:"value"`
}

// inject writes the bundle into every webhook that has another one, and only
// there. It is refused as a conflict when the configuration is no longer the
// one that was found. It returns whether it wrote.
func (c configuration) inject(ctx context.Context, writer client.Writer, bundle []byte) (bool, error) {
	operations := []operation{{Op: "replace", Path: "/metadata/resourceVersion", Value: c.object.GetResourceVersion()}}
	for i, has := range c.bundles {
		if !bytes.Equal(has, bundle) {
			operations = append(operations, operation{
				Op: "add", Path: fmt.Sprintf("/webhooks/%d/clientConfig/caBundle", i), Value: bundle,
			})
		}
	}
	if len(operations) == 1 {
		return false, nil
	}
	patch, err := json.Marshal(operations)
	if err != nil {
		return false, fmt.Errorf("inject the CA into %s: %w", c.object.GetName(), err)
	}
	if err := writer.Patch(ctx, c.object, client.RawPatch(types.JSONPatchType, patch)); err != nil {
		return false, fmt.Errorf("inject the CA into %T %s: %w", c.object, c.object.GetName(), err)
	}
	return true, nil
}

// propagation is since when a replica has found each CA in every webhook, at
// every look. The zero value has found none.
type propagation struct {
	since map[[sha256.Size]byte]time.Time
}

// observe takes in one look. Where there is no webhook, nobody has to believe
// anything, and every CA counts as found.
func (p *propagation) observe(found []configuration, bundle []*x509.Certificate, now time.Time) {
	since := make(map[[sha256.Size]byte]time.Time, len(bundle))
	for _, ca := range bundle {
		if !inEvery(found, encodeBundle([]*x509.Certificate{ca})) {
			continue
		}
		id := sha256.Sum256(ca.Raw)
		since[id] = now
		if before, known := p.since[id]; known {
			since[id] = before
		}
	}
	p.since = since
}

func inEvery(found []configuration, text []byte) bool {
	for _, c := range found {
		for _, bundle := range c.bundles {
			if !bytes.Contains(bundle, text) {
				return false
			}
		}
	}
	return true
}

// settled says whether a CA has been found for a time.
func (p *propagation) settled(ca *x509.Certificate, now time.Time, after time.Duration) bool {
	since, known := p.since[sha256.Sum256(ca.Raw)]
	return known && now.Sub(since) >= after
}
