// SPDX-License-Identifier: Apache-2.0

package policy

import (
	"github.com/ow-kai/ascend-operator/api/v1alpha1"
	"github.com/ow-kai/ascend-operator/internal/rules"
)

// Compile compiles a rule that is not stored yet, by the compiler of the store.
// The store does not take it over.
func (s *Store) Compile(object *v1alpha1.SmartRule) *rules.Rule { return s.compile(object) }
