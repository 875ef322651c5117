// SPDX-License-Identifier: Apache-2.0

package seal_test

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/ow-kai/ascend-operator/internal/seal"
)

// alteration changes one field of a value of type T.
type alteration[T any] struct {
	name  string
	apply func(*T)
}

// alterations are all ways to change one field, found in the type itself, so
// that a field that is added later cannot be left out of the claims unseen. The
// seal itself is no claim.
func alterations[T any](t *testing.T) []alteration[T] {
	t.Helper()
	var found []alteration[T]
	var walk func(path []int, name string, of reflect.Type)
	add := func(path []int, name string, change func(reflect.Value)) {
		found = append(found, alteration[T]{name, func(v *T) { change(reflect.ValueOf(v).Elem().FieldByIndex(path)) }})
	}
	walk = func(path []int, name string, of reflect.Type) {
		switch {
		case of == reflect.TypeFor[*metav1.MicroTime]():
			add(path, name+" removed", func(v reflect.Value) { v.SetZero() })
			for _, by := range []time.Duration{time.Microsecond, -time.Microsecond, time.Hour} {
				add(path, fmt.Sprintf("%s by %s", name, by), func(v reflect.Value) {
					old, _ := reflect.TypeAssert[*metav1.MicroTime](v)
					moved := metav1.NewMicroTime(old.Add(by))
					v.Set(reflect.ValueOf(&moved))
				})
			}
		case of.Kind() == reflect.String:
			add(path, name+" removed", func(v reflect.Value) { v.SetString("") })
			add(path, name+" longer", func(v reflect.Value) { v.SetString(v.String() + "x") })
			add(path, name+" with a zero byte", func(v reflect.Value) { v.SetString(v.String() + "\x00") })
			add(path, name+" with wrong bytes", func(v reflect.Value) { v.SetString(v.String() + "\xff") })
			add(path, name+" with a replacement character", func(v reflect.Value) { v.SetString(v.String() + "\ufffd") })
			add(path, name+" with an escape", func(v reflect.Value) { v.SetString(v.String() + `\u0000","x":"`) })
			add(path, name+" other", func(v reflect.Value) { v.SetString("other") })
		case of.Kind() == reflect.Slice && of.Elem().Kind() == reflect.String:
			text := func(s string) reflect.Value { return reflect.ValueOf(s).Convert(of.Elem()) }
			add(path, name+" removed", func(v reflect.Value) { v.SetZero() })
			add(path, name+" shorter", func(v reflect.Value) { v.SetLen(v.Len() - 1) })
			add(path, name+" longer", func(v reflect.Value) { v.Set(reflect.Append(v, text("system:masters"))) })
			add(path, name+" with an empty one", func(v reflect.Value) { v.Set(reflect.Append(v, text(""))) })
			add(path, name+" joined", func(v reflect.Value) {
				v.Set(reflect.Append(v.Slice(0, 0), text(v.Index(0).String()+`","`+v.Index(1).String())))
			})
			add(path, name+" swapped", func(v reflect.Value) {
				v.Set(reflect.Append(v.Slice3(0, 0, 0), v.Index(1), v.Index(0)))
			})
		case of.Kind() == reflect.Struct:
			for field := range of.Fields() {
				if field.Name != "Seal" {
					walk(append(slices.Clip(path), field.Index...), name+"."+field.Name, field.Type)
				}
			}
		default:
			t.Fatalf("%s is a %s: say here how it can be changed", name, of)
		}
	}
	walk(nil, "", reflect.TypeFor[T]())
	return found
}

func TestChangingAnyFieldOfASubmissionBreaksItsSeal(t *testing.T) {
	r := ring(t, key("00000001", 1))
	if err := r.CheckSubmission(sealedSubmission(t, r)); err != nil {
		t.Fatal(err)
	}
	changes := alterations[seal.Submission](t)
	if len(changes) != 5*7+4+6 { // namespace, name, digest, username, uid; time; groups
		t.Errorf("%d changes are tried; has a field been added?", len(changes))
	}
	for _, change := range changes {
		s := sealedSubmission(t, r)
		change.apply(&s)
		if err := r.CheckSubmission(s); !errors.Is(err, seal.ErrForged) {
			t.Errorf("%s: %v", change.name, err)
		}
	}
}

func TestChangingAnyFieldOfAVerdictBreaksItsSeal(t *testing.T) {
	r := ring(t, key("00000001", 1))
	if err := r.CheckVerdict(sealedVerdict(t, r)); err != nil {
		t.Fatal(err)
	}
	changes := alterations[seal.Verdict](t)
	if len(changes) != 11*7+4 { // namespace, name, uid and eight of the approval; time
		t.Errorf("%d changes are tried; has a field been added?", len(changes))
	}
	for _, change := range changes {
		v := sealedVerdict(t, r)
		change.apply(&v)
		if err := r.CheckVerdict(v); !errors.Is(err, seal.ErrForged) {
			t.Errorf("%s: %v", change.name, err)
		}
	}
}

// What is empty must be there, or may be, and what stands in two fields cannot
// be moved from one to the other.
func TestWhatCannotBeSealed(t *testing.T) {
	r := ring(t, key("00000001", 1))
	optional := map[string]bool{
		".Requester.UID removed": true, ".Requester.Groups removed": true,
		".Approval.UID removed": true, ".Approval.As removed": true, ".Approval.Comment removed": true,
	}
	try := func(name string, text string, err error) {
		const removed, wrong = " removed", " with wrong bytes"
		refuse := hasSuffix(name, wrong) || hasSuffix(name, removed) && !optional[name]
		if refuse != errors.Is(err, seal.ErrIncomplete) || refuse != (text == "") {
			t.Errorf("%s: sealed as %q, %v", name, text, err)
		}
	}
	for _, change := range alterations[seal.Submission](t) {
		s := submission()
		change.apply(&s)
		text, err := r.SealSubmission(s)
		try(change.name, text, err)
	}
	for _, change := range alterations[seal.Verdict](t) {
		v := verdict()
		change.apply(&v)
		text, err := r.SealVerdict(v)
		try(change.name, text, err)
	}
	for name, moment := range map[string]time.Time{
		"zero": {}, "year 10000": time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC), "year -1": time.Date(-1, 1, 1, 0, 0, 0, 0, time.UTC),
	} {
		s := submission()
		*s.Requester.AdmittedAt = metav1.NewMicroTime(moment)
		if _, err := r.SealSubmission(s); !errors.Is(err, seal.ErrIncomplete) {
			t.Errorf("time %s: %v", name, err)
		}
	}
}

func hasSuffix(name, suffix string) bool {
	return len(name) > len(suffix) && name[len(name)-len(suffix):] == suffix
}

func TestFieldsCannotBeShiftedIntoEachOther(t *testing.T) {
	r := ring(t, key("00000001", 1))
	s := sealedSubmission(t, r)
	s.Namespace, s.Name = s.Name, s.Namespace
	if err := r.CheckSubmission(s); !errors.Is(err, seal.ErrForged) {
		t.Errorf("namespace and name exchanged: %v", err)
	}
	v := sealedVerdict(t, r)
	v.Approval.Stage, v.Approval.Approver = "re", "viewalice"
	if err := r.CheckVerdict(v); !errors.Is(err, seal.ErrForged) {
		t.Errorf("stage and approver shifted: %v", err)
	}
}

// What the API server does to an object on its way must not break the seal.
func TestWhatTheAPIDoesNotKeepIsNotSealed(t *testing.T) {
	r := ring(t, key("00000001", 1))
	s := sealedSubmission(t, r)
	*s.Requester.AdmittedAt = metav1.NewMicroTime(s.Requester.AdmittedAt.Add(999 * time.Nanosecond).In(time.FixedZone("", 3600)))
	if err := r.CheckSubmission(s); err != nil {
		t.Errorf("below the microsecond, in another zone: %v", err)
	}
	none, empty := submission(), submission()
	none.Requester.Groups, empty.Requester.Groups = nil, empty.Requester.Groups[:0]
	var err error
	if empty.Requester.Seal, err = r.SealSubmission(none); err != nil {
		t.Fatal(err)
	}
	if err := r.CheckSubmission(empty); err != nil {
		t.Errorf("no groups and an empty list: %v", err)
	}
}
