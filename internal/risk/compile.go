// SPDX-License-Identifier: Apache-2.0

package risk

import (
	"fmt"

	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
	"github.com/ow-kai/ascend-operator/internal/canonical"
	"github.com/ow-kai/ascend-operator/internal/match"
)

// Compile compiles a model; nil gives the built-in one. It always returns a
// Model that can be used. The error is an aggregate of field errors with the
// paths of what is broken. What a broken entry covers scores FailedScore; an
// entry that does not say what it covers may cover everything. A schedule of
// which any part is broken has no business hours.
func Compile(spec *v1alpha1.RiskModelSpec) (*Model, error) {
	own := spec
	if own == nil {
		own = &v1alpha1.RiskModelSpec{}
	}
	base := BuiltIn()
	root := field.NewPath("spec")
	c := &compiler{model: &Model{}}
	c.revision(root, base, spec)
	c.actionTypes(root.Child("actionTypes"), own.ActionTypes, base.ActionTypes)
	c.classifications(root.Child("dataClassifications"), own.DataClassifications, base.DataClassifications)
	c.environments(root.Child("environments"), own.Environments, base.Environments)
	c.blastRadius(root.Child("blastRadius"), own.BlastRadius, base.BlastRadius)
	c.schedule(root.Child("schedule"), own.Schedule)
	c.catalog(root.Child("catalog"), own.Catalog)
	if len(c.errs) == 0 {
		return c.model, nil
	}
	return c.model, c.errs.ToAggregate()
}

// compiler collects what is wrong while it fills a model.
type compiler struct {
	model *Model
	errs  field.ErrorList
}

// revision covers the built-in numbers too: a new release that changes them
// makes a new revision.
func (c *compiler) revision(root *field.Path, base, spec *v1alpha1.RiskModelSpec) {
	digest, err := canonical.Digest(map[string]any{"builtIn": base, "spec": spec})
	if err != nil {
		c.report(field.InternalError(root, err))
	}
	c.model.revision = digest
}

// report keeps an error and returns the words for a Failure.
func (c *compiler) report(err *field.Error) string {
	c.errs = append(c.errs, err)
	return fmt.Sprintf("%s of the RiskModel cannot be used", err.Field)
}

// everything makes every score fail: the entry may cover anything.
func (c *compiler) everything(err *field.Error) {
	if why := c.report(err); c.model.broken == "" {
		c.model.broken = why
	}
}

// delta reads a change of score.
func (c *compiler) delta(path *field.Path, text v1alpha1.Delta) weight {
	delta, err := ParseDelta(text)
	if err != nil {
		return weight{broken: c.report(field.Invalid(path, string(text), err.Error()))}
	}
	return weight{delta: delta}
}

// increase reads a change of score that must not be negative.
func (c *compiler) increase(path *field.Path, text v1alpha1.Increase) weight {
	w := c.delta(path, v1alpha1.Delta(text))
	if w.delta < 0 {
		return weight{broken: c.report(field.Invalid(path, string(text), "must not lower the score"))}
	}
	return w
}

// words fills a table of words from the model's entries over the built-in ones.
type words map[string]weight

// add adds an entry of the model under its folded name; one that is there
// already is broken, since nobody knows which of them is meant.
func (c *compiler) add(to words, path *field.Path, name string, text v1alpha1.Delta) {
	w := c.delta(path.Child("delta"), text)
	folded := match.Fold(name)
	if folded == "" {
		c.everything(field.Required(path.Child("name"), "name what it is about"))
		return
	}
	if _, repeated := to[folded]; repeated {
		w.broken = c.report(field.Duplicate(path.Child("name"), name))
	}
	to[folded] = w
}

// settle gives the entries that cannot be read the largest delta of those
// that can, so that being unreadable never lowers a score, and returns the
// weight of a word that is not there: the largest of all.
func (to words) settle(least Delta) (unknown weight) {
	unknown = weight{delta: least}
	for _, w := range to {
		if w.broken == "" {
			unknown.delta = max(unknown.delta, w.delta)
		}
	}
	for name, w := range to {
		if w.broken == "" {
			continue
		}
		w.delta = unknown.delta
		to[name] = w
		if unknown.broken == "" || w.broken < unknown.broken {
			unknown.broken = w.broken
		}
	}
	return unknown
}
