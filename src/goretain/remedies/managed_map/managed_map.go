package remedies

import (
	"context"
	"sync"
)

// A ManagedMap is a map for use by several goroutines whose entries live as long as a context: the session of a
// connection, the state of a request, the progress of a job.
//
// An entry is gone for Load at the moment its context is done, and its memory is given back shortly after.
// Nothing waits for that: a context calls back once for all of its keys (context.AfterFunc), so that no goroutine
// stands by for a key, and a key that was stored again in the meantime keeps its newer value. Only contexts
// that are not made by package context and have no AfterFunc method cost a goroutine each, as any child of
// theirs does.
//
// An entry under a context that is never done, such as context.Background, stays until Delete.
//
// The zero value is an empty map, ready to use. A ManagedMap must not be copied after its first use.
type ManagedMap[K comparable, V any] struct {
	mu      sync.RWMutex
	entries ShrinkingMap[K, managedEntry[K, V]]
	bonds   ShrinkingMap[<-chan struct{}, *contextBond[K]] // by Context.Done: children share it that add values only
}

type managedEntry[K comparable, V any] struct {
	value V
	bond  *contextBond[K] // nil if the context is never done
}

// A contextBond has the keys whose present entries end with a context.
type contextBond[K comparable] struct {
	ctx  context.Context
	keys ShrinkingMap[K, struct{}]
	stop func() bool // takes the callback back from ctx
}

// Store sets the value of key until ctx is done, another value is stored or key is deleted. If ctx is done
// already there is no value of key afterwards.
func (m *ManagedMap[K, V]) Store(ctx context.Context, key K, value V) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if ctx.Err() != nil {
		m.remove(key)
		return
	}
	bond := m.bondOf(ctx)
	if old, ok := m.entries.Load(key); ok && old.bond != bond {
		m.unbind(key, old.bond)
	}
	if bond != nil {
		bond.keys.Store(key, struct{}{})
	}
	m.entries.Store(key, managedEntry[K, V]{value, bond})
}

// Load returns the value stored under key, and whether there is one and its context is not done.
func (m *ManagedMap[K, V]) Load(key K) (value V, ok bool) {
	m.mu.RLock()
	entry, ok := m.entries.Load(key)
	m.mu.RUnlock()
	if !ok || entry.bond != nil && entry.bond.ctx.Err() != nil {
		return value, false
	}
	return entry.value, true
}

// Delete removes key, if it is there, and lets go of its context.
func (m *ManagedMap[K, V]) Delete(key K) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.remove(key)
}

// Len returns the number of entries. Those whose context has just ended may still be counted.
func (m *ManagedMap[K, V]) Len() int {
	m.mu.RLock()
	defer m.mu.RUnlock()
	return m.entries.Len()
}

// bondOf returns the bond with ctx, made if there is none.
func (m *ManagedMap[K, V]) bondOf(ctx context.Context) *contextBond[K] {
	if ctx.Done() == nil {
		return nil
	}
	bond, ok := m.bonds.Load(ctx.Done())
	if !ok {
		bond = &contextBond[K]{ctx: ctx}
		// Should ctx end right now, the callback waits for the lock that we hold.
		bond.stop = context.AfterFunc(ctx, func() { m.expire(bond) })
		m.bonds.Store(ctx.Done(), bond)
	}
	return bond
}

func (m *ManagedMap[K, V]) remove(key K) {
	if old, ok := m.entries.Load(key); ok {
		m.unbind(key, old.bond)
		m.entries.Delete(key)
	}
}

// unbind takes key out of a bond, and ends one that has no more keys: else ctx would hold it, and us, until it
// is done.
func (m *ManagedMap[K, V]) unbind(key K, bond *contextBond[K]) {
	if bond == nil {
		return
	}
	bond.keys.Delete(key)
	if bond.keys.Len() == 0 {
		bond.stop()
		m.bonds.Delete(bond.ctx.Done())
	}
}

// expire removes what is still bound to a context that is done. A key that was stored again under another one
// is not: its new entry has another bond.
func (m *ManagedMap[K, V]) expire(bond *contextBond[K]) {
	m.mu.Lock()
	defer m.mu.Unlock()
	bond.keys.Range(func(key K, _ struct{}) bool {
		m.entries.Delete(key)
		return true
	})
	bond.keys.Clear()
	if current, ok := m.bonds.Load(bond.ctx.Done()); ok && current == bond {
		m.bonds.Delete(bond.ctx.Done())
	}
}
