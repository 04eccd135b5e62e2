package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"

	"strowger/sip"
	"strowger/store"
	"strowger/store/bolt"
)

// Who calls whom, and the phones that register.
const (
	callerNumber   = "+12025550900"
	calledNumber   = "+12025550010"
	outsideLine    = "+12025550190"
	firstDevice    = 10000
	deviceCount    = 2000
	devicePassword = "secret"
	realm          = "strowger" // the default of configs/strowger.yaml
)

// organisation has a number that is forwarded to an outside line, and as many users as devices.
func organisation() store.Directory {
	dir := store.Directory{
		Company: store.Company{Name: "Bench", Region: "US"},
		Numbers: []store.Number{{Number: calledNumber, Kind: store.CompanyNumber, Policy: "forward", ForwardTo: outsideLine, MaxInbound: 100_000}},
		Policies: map[string]store.Policy{
			"forward": {Mode: "cascade", Steps: []store.PolicyStep{{Step: "forwarding"}, {Step: "hangup"}}},
		},
	}
	for i := range deviceCount {
		id := strconv.Itoa(firstDevice + i)
		dir.Users = append(dir.Users, store.User{ID: "user-" + id, Name: "User " + id})
	}
	return dir
}

// writeStore makes a data folder with the organisation and a desk phone for each user.
func writeStore(folder string) (err error) {
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return err
	}
	db, err := bolt.Open(filepath.Join(folder, "strowger.db"), bolt.Options{})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	if _, err := db.Apply(organisation()); err != nil {
		return err
	}
	// The store writes together what is asked for at the same time.
	errs := make([]error, deviceCount)
	var all sync.WaitGroup
	for i := range deviceCount {
		all.Go(func() { errs[i] = db.PutDevice(device(strconv.Itoa(firstDevice + i))) })
	}
	all.Wait()
	return errors.Join(errs...)
}

func device(id string) store.Device {
	d := store.Device{ID: id, User: "user-" + id, Kind: store.Desk, Realm: realm}
	d.HA1MD5, d.HA1SHA = sip.HA1(id, realm, devicePassword)
	return d
}

// deviceList is the devices as SIPp reads them.
func deviceList() []byte {
	var b strings.Builder
	b.WriteString("SEQUENTIAL\n")
	for i := range deviceCount {
		fmt.Fprintf(&b, "%d;[authentication username=%d password=%s];\n", firstDevice+i, firstDevice+i, devicePassword)
	}
	return []byte(b.String())
}
