// SPDX-License-Identifier: Apache-2.0

package manifest

import (
	"encoding/json"
	"errors"
	"fmt"
	"strconv"

	corev1 "k8s.io/api/core/v1"
	metavalidation "k8s.io/apimachinery/pkg/api/validation"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	kjson "sigs.k8s.io/json"

	"github.com/ow-kai/ascend-operator/internal/crd"
)

// maxListDepth is how deep lists of lists are taken apart.
const maxListDepth = 8

// document takes what a file holds into the set.
func (l *loader) document(d *Document, named bool) { l.documentAt(d, named, 0) }

func (l *loader) documentAt(d *Document, named bool, depth int) {
	value, err := d.value()
	if err != nil || value == nil {
		if named || depth > 0 {
			l.problem(d.Position, errNoObject.Error())
		} else {
			l.set.Foreign++
		}
		return
	}
	header, role := classify(value, named || depth > 0)
	switch role {
	case foreign:
		l.set.Foreign++
	case test:
		l.set.Tests = append(l.set.Tests, d)
	case mistaken:
		l.faults(d, []fault{{header.path, header.message}})
	case list:
		l.list(d, value, depth)
	case namespace:
		l.namespace(d)
	case ours:
		l.object(d, header.kind, value)
	}
}

// list takes a list apart.
func (l *loader) list(d *Document, value map[string]any, depth int) {
	if depth >= maxListDepth {
		l.problem(d.Position, fmt.Sprintf("lists are in one another more than %d deep; take them apart", maxListDepth))
		return
	}
	items, isList := value["items"].([]any)
	if given, there := value["items"]; there && given != nil && !isList {
		l.faults(d, []fault{{"items", "it is " + typeName(given) + "; it must be a list of objects"}})
		return
	}
	for i, item := range items {
		path := "items[" + strconv.Itoa(i) + "]"
		text, err := json.Marshal(item)
		if err != nil {
			l.faults(d, []fault{{path, "it cannot be read: " + err.Error()}})
			continue
		}
		l.count++
		if l.count > maxDocuments {
			l.problem(d.At(path), tooManyDocuments)
			return
		}
		one := &Document{Position: d.At(path), JSON: text, broken: d.broken}
		if d.Node != nil {
			one.Node = target(find(d.Node, path))
			one.Line, one.Column = one.Node.Line, one.Node.Column
		}
		l.documentAt(one, true, depth+1)
	}
}

// object validates an object of one of our kinds.
func (l *loader) object(d *Document, kind string, value map[string]any) {
	known, err := crd.Of(kind)
	if err != nil {
		l.problem(d.Position, err.Error())
		return
	}
	object, faults := kindSchema{known}.admit(value, l.options.Namespace)
	if f, large := oversize(len(d.JSON)); large {
		faults = append(faults, f)
	}
	l.add(d, object, faults)
}

// namespace validates a Namespace, of which only its metadata counts.
func (l *loader) namespace(d *Document) {
	var whole corev1.Namespace
	var faults []fault
	strict, err := kjson.UnmarshalStrict(d.JSON, &whole)
	if err != nil {
		path, message := decodeError(err)
		l.faults(d, []fault{{path, message}})
		return
	}
	for _, err := range strict {
		if wrong, named := errors.AsType[kjson.FieldError](err); named {
			faults = append(faults, fault{wrong.FieldPath(), unknownField(wrong.FieldPath(), knownFields(&whole, wrong.FieldPath()))})
		}
	}
	meta := whole.ObjectMeta
	meta.Namespace = ""
	for _, err := range validateMeta(&meta, false, metavalidation.ValidateNamespaceName) {
		faults = append(faults, explain(err))
	}
	if meta.Labels == nil {
		meta.Labels = map[string]string{}
	}
	meta.Labels[corev1.LabelMetadataName] = meta.Name // as the API server does
	l.add(d, &metav1.PartialObjectMetadata{ObjectMeta: meta, TypeMeta: whole.TypeMeta}, faults)
}

// add takes an object into the set, unless it is there already.
func (l *loader) add(d *Document, object client.Object, faults []fault) {
	l.faults(d, faults)
	if object == nil {
		return
	}
	o := &Object{Document: d, Object: object, Valid: len(faults) == 0 && !d.broken}
	if object.GetName() != "" {
		if before := l.objects[o.Key()]; before != nil {
			l.faults(d, []fault{{"metadata.name", twice(o, before)}})
			return
		}
		l.objects[o.Key()] = o
	}
	l.set.Objects = append(l.set.Objects, o)
}

// twice names both places of an object.
func twice(o, before *Object) string {
	if before.At("metadata.name") == o.At("metadata.name") {
		return o.Key().String() + " is read twice, of which one is through a kustomization; name one of the two"
	}
	return fmt.Sprintf("%s is there already, in %s; keep one, and where one is a patch, name the folder of its kustomization",
		o.Key(), before.At("metadata.name"))
}

// faults notes problems of a document.
func (l *loader) faults(d *Document, faults []fault) {
	l.order(d.File)
	for i, f := range faults {
		if i == maxProblems {
			l.problem(d.Position, fmt.Sprintf("%d more problems of this object are not shown", len(faults)-maxProblems))
			return
		}
		l.problems = append(l.problems, d.Problem(f.path, "%s", f.message))
	}
}
