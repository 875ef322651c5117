// SPDX-License-Identifier: Apache-2.0

package seal_test

import (
	"errors"
	"math/rand/v2"
	"reflect"
	"testing"
	"unicode/utf8"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
	"github.com/ow-kai/ascend-operator/internal/seal"
)

// TestTwoVerdictsShareASealOnlyIfTheyAreOne draws pairs from a small world, so
// that they are often alike in all but one field.
func TestTwoVerdictsShareASealOnlyIfTheyAreOne(t *testing.T) {
	r := ring(t, key("00000001", 1))
	random := rand.New(rand.NewPCG(1, 2))
	pick := func() string { return []string{"a", "b", "a\"", "a,b"}[random.IntN(4)] }
	draw := func() seal.Verdict {
		v := verdict()
		if random.IntN(2) == 0 {
			v.Namespace, v.Name, v.UID = pick(), pick(), pick()
		}
		v.Approval.Approver, v.Approval.Stage, v.Approval.As = pick(), pick(), pick()
		v.Approval.Comment, v.Approval.Verdict = pick(), v1alpha1.Verdict(pick())
		return v
	}
	for range 2000 {
		a, b := draw(), draw()
		var err error
		if a.Approval.Seal, err = r.SealVerdict(a); err != nil {
			t.Fatal(err)
		}
		b.Approval.Seal = a.Approval.Seal
		if got := r.CheckVerdict(b); (got == nil) != reflect.DeepEqual(a, b) {
			t.Fatalf("%+v\n%+v\n%v", a, b, got)
		}
	}
}

// FuzzCheck: whatever stands in place of a seal, only the seal itself is taken,
// and it has a key that is known.
func FuzzCheck(f *testing.F) {
	r := ring(f, key("00000001", 1))
	good := sealedSubmission(f, r)
	for _, seed := range []string{good.Requester.Seal, "", "v1..", goldenVerdict, good.Requester.Seal + "\n", "v1.00000001." + string(make([]byte, 43))} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		s := submission()
		s.Requester.Seal = text
		err := r.CheckSubmission(s)
		if (err == nil) != (text == good.Requester.Seal) {
			t.Errorf("%q: %v", text, err)
		}
		id, ok := seal.KeyOf(text)
		if ok == (errors.Is(err, seal.ErrMissing) || errors.Is(err, seal.ErrMalformed)) || errors.Is(err, seal.ErrUnknownKey) == r.Knows(id) && ok {
			t.Errorf("%q: key %q, %t, and %v", text, id, ok, err)
		}
	})
}

// FuzzSubmission: what is sealed is known again, and not for another name.
func FuzzSubmission(f *testing.F) {
	r := ring(f, key("00000001", 1))
	f.Add("shop", "act-7", "alice", "system:authenticated")
	f.Add("", "\xff", "\u2028<&>", "\x00")
	f.Fuzz(func(t *testing.T, namespace, name, user, group string) {
		s := submission()
		s.Namespace, s.Name, s.Requester.Username, s.Requester.Groups = namespace, name, user, []v1alpha1.UserName{v1alpha1.UserName(group)}
		text, err := r.SealSubmission(s)
		valid := namespace != "" && name != "" && user != ""
		for _, v := range []string{namespace, name, user, group} {
			valid = valid && utf8.ValidString(v)
		}
		if (err == nil) != valid {
			t.Fatalf("sealing: %v", err)
		}
		if err != nil {
			return
		}
		s.Requester.Seal = text
		if err := r.CheckSubmission(s); err != nil {
			t.Error(err)
		}
		s.Name += "-"
		if err := r.CheckSubmission(s); !errors.Is(err, seal.ErrForged) {
			t.Errorf("another name: %v", err)
		}
	})
}
