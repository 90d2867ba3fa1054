package main

func nowhere() {}
