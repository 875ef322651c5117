// SPDX-License-Identifier: Apache-2.0

package ruletest

import (
	"errors"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	kerrors "k8s.io/apimachinery/pkg/util/errors"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
	"github.com/ow-kai/ascend-operator/internal/decision"
	"github.com/ow-kai/ascend-operator/internal/manifest"
	"github.com/ow-kai/ascend-operator/internal/policy"
)

// compiled is a policy, read and compiled once, however many suites test it.
type compiled struct {
	set      *manifest.Set
	tested   []*manifest.Object // of the set, what coverage is about
	store    *policy.Store
	snapshot *decision.Snapshot
	problems []manifest.Problem // the policy cannot be tested as it is
	err      error              // it cannot be read
}

// policies reads and compiles each policy once.
type policies struct {
	mu   sync.Mutex
	byID map[string]func() *compiled
	// fallback is the policy of suites that name none; nil where there is none.
	fallback func(beside []string) *compiled
}

func newPolicies(o Options) *policies {
	p := &policies{byID: map[string]func() *compiled{}}
	switch {
	case o.Set != nil:
		p.fallback = func(beside []string) *compiled {
			return p.once("\x00\x00", beside, func() (*manifest.Set, []manifest.Problem, error) { return o.Set, nil, nil })
		}
	case len(o.Policy) > 0:
		p.fallback = func(beside []string) *compiled { return p.get(o.Policy, beside) }
	}
	return p
}

// get returns the policy of these paths, with that beside it. It may be called
// from many goroutines.
func (p *policies) get(paths, beside []string) *compiled {
	paths = cleaned(paths)
	return p.once(strings.Join(paths, "\x00"), beside, func() (*manifest.Set, []manifest.Problem, error) { return loadPolicy(paths) })
}

// once returns what has been compiled of a policy, by its name and what is beside it.
func (p *policies) once(id string, beside []string, load func() (*manifest.Set, []manifest.Problem, error)) *compiled {
	beside = cleaned(beside)
	id += "\x00beside\x00" + strings.Join(beside, "\x00")
	p.mu.Lock()
	known := p.byID[id]
	if known == nil {
		known = sync.OnceValue(func() *compiled { return joined(load, beside) })
		p.byID[id] = known
	}
	p.mu.Unlock()
	return known()
}

func cleaned(paths []string) []string {
	clean := make([]string, len(paths))
	for i, path := range paths {
		clean[i] = filepath.Clean(path)
	}
	return clean
}

// joined compiles a policy together with what is beside it; of two objects of
// one name, that of the policy counts.
func joined(load func() (*manifest.Set, []manifest.Problem, error), beside []string) *compiled {
	set, problems, err := load()
	if err != nil || len(beside) == 0 {
		return compile(set, problems, err)
	}
	others, more, err := loadPolicy(beside)
	if err != nil {
		return &compiled{err: err}
	}
	c := compile(manifest.Overlay(set, others), slices.Concat(problems, more), nil)
	c.tested = set.Objects
	return c
}

// compile compiles what has been read.
func compile(set *manifest.Set, problems []manifest.Problem, err error) *compiled {
	c := &compiled{set: set, problems: problems, err: err}
	if err != nil || len(problems) > 0 {
		return c
	}
	c.tested = set.Objects
	if c.store, c.err = set.Store(); c.err != nil {
		return c
	}
	c.problems = c.broken()
	c.snapshot = c.store.Snapshot()
	return c
}

// broken is what the policy has that does not compile, which admission would refuse.
func (c *compiled) broken() []manifest.Problem {
	var out []manifest.Problem
	for _, object := range c.set.Objects {
		var err error
		switch o := object.Object.(type) {
		case *v1alpha1.SmartRule:
			if rule, known := c.store.Rule(o); known {
				err = rule.Err()
			}
		case *v1alpha1.ApprovalWorkflow:
			if workflow, known := c.store.Workflow(o); known {
				err = workflow.Err()
			}
		case *v1alpha1.RiskModel:
			if model, known := c.store.Model(o); known {
				err = model.Err
			}
		}
		out = append(out, compileProblems(err, object.At)...)
	}
	return out
}

// compileProblems are the parts of an error of compilation, each where it belongs.
func compileProblems(err error, at func(path string) manifest.Position) []manifest.Problem {
	if err == nil {
		return nil
	}
	parts := []error{err}
	if all, isMany := errors.AsType[kerrors.Aggregate](err); isMany {
		parts = kerrors.Flatten(all).Errors()
	}
	out := make([]manifest.Problem, len(parts))
	for i, part := range parts {
		var path string
		message := part.Error()
		if wrong, isField := errors.AsType[*field.Error](part); isField {
			path, message = wrong.Field, wrong.ErrorBody()
		}
		message, _, _ = strings.Cut(message, "\n") // what follows draws an arrow below the text
		out[i] = problemAt(at(path), path, "%s", message)
	}
	return out
}

// ruleKeys are the rules of a snapshot, in no order.
func ruleKeys(snapshot *decision.Snapshot) []key {
	var out []key
	for _, namespace := range snapshot.Namespaces {
		for rule := range namespace.Rules.Rules() {
			out = append(out, key{rule.Key().Namespace, rule.Key().Name})
		}
	}
	return out
}

// workflowKeys are the workflows of a set, in its order.
func workflowKeys(set *manifest.Set) []key {
	var out []key
	for _, object := range set.Objects {
		if w, isWorkflow := object.Object.(*v1alpha1.ApprovalWorkflow); isWorkflow {
			out = append(out, key{w.Namespace, w.Name})
		}
	}
	return slices.Clip(out)
}
